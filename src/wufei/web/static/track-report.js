// The driver's phone says where it is: from the button on, in batches; what can't be sent waits on the phone.

const data = JSON.parse(document.getElementById("report-data").textContent);
const $ = (id) => document.getElementById(`report-${id}`);
const KEPT = `wufei track ${data.key}`;
const LEAST_MS = 10_000; // between two positions
const MOST_WAITING = 5_000;
const token = document.querySelector("[data-token] input[name=csrfmiddlewaretoken]").value;

const fresh = () => ({ phone: crypto.randomUUID(), next: 1, sent: 0, waiting: [] });
let state = fresh();
try {
  state = JSON.parse(localStorage.getItem(KEPT)) ?? state;
} catch {
  // what was kept can't be read: begin anew
}
let watched = null;
let timer = null;
let lastAt = 0;
let sending = false;
let awake = null;

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(state));
  } catch {
    // no room: it goes on in memory
  }
  $("sent").textContent = String(state.sent);
  $("waiting").textContent = String(state.waiting.length);
}

const say = (words) => ($("state").textContent = words);
const trouble = (words) => ($("trouble").textContent = words);

/** Local time with its offset, to the second: 2026-07-01T10:00:00+08:00. */
function instant(milliseconds) {
  const at = new Date(milliseconds);
  const offset = -at.getTimezoneOffset();
  const pad = (n) => String(Math.trunc(Math.abs(n))).padStart(2, "0");
  const local = new Date(milliseconds + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${pad(offset / 60)}:${pad(offset % 60)}`;
}

function seen(position) {
  if (position.timestamp - lastAt < LEAST_MS) return;
  lastAt = position.timestamp;
  state.waiting.push({
    sequence: state.next++,
    at: instant(position.timestamp),
    latitude_udeg: Math.round(position.coords.latitude * 1e6),
    longitude_udeg: Math.round(position.coords.longitude * 1e6),
  });
  if (state.waiting.length > MOST_WAITING) state.waiting.shift();
  $("last").textContent = new Date(position.timestamp).toLocaleTimeString("zh-CN");
  trouble("");
  keep();
}

function unseen(error) {
  trouble(
    error.code === error.PERMISSION_DENIED
      ? "手机不允许定位：请在浏览器设置里允许本站使用位置，再按“开始上报”。"
      : "暂时定不到位；到开阔处会自动恢复。",
  );
  if (error.code === error.PERMISSION_DENIED) end();
}

async function send() {
  if (sending || state.waiting.length === 0) return;
  sending = true;
  const positions = state.waiting.slice(0, data.at_once);
  try {
    const answer = await fetch(data.address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ tracker: state.phone, datum: "WGS84", positions }),
      redirect: "manual",
    });
    await take(answer, positions);
  } catch {
    say(`没有网络，${state.waiting.length} 个位置存在本机，恢复后补报。`);
  } finally {
    sending = false;
  }
  if (state.waiting.length >= data.at_once && navigator.onLine && timer) setTimeout(send, 1000);
}

async function take(answer, positions) {
  if (answer.type === "opaqueredirect" || answer.status === 403) {
    trouble("登录已过期。位置都存在本机，请重新登录后回到本页。");
    return;
  }
  if (answer.status >= 500 || answer.status === 429) return; // again later
  const said = await answer.json();
  if (answer.ok) {
    const last = positions.at(-1).sequence;
    state.waiting = state.waiting.filter((each) => each.sequence > last);
    state.sent += said.accepted;
    keep();
    if (timer) say("正在上报。");
    if (said.refused.length) trouble(said.message);
    return;
  }
  trouble(said.message);
  if (said.code === "phone_of_another") {
    const waiting = state.waiting.map((each, at) => ({ ...each, sequence: at + 1 }));
    state = { ...fresh(), waiting, next: waiting.length + 1, sent: state.sent };
  }
  if (said.code === "not_under_way" || said.code === "not_your_leg") {
    state.waiting = [];
    end();
    say("运输已结束，停止上报。");
  }
  keep();
}

async function stayAwake() {
  try {
    awake = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    awake = null; // the phone decides
  }
}

function begin() {
  if (!("geolocation" in navigator)) {
    trouble("这个浏览器不能定位；请换一个浏览器，并用 https 打开本站。");
    return;
  }
  watched = navigator.geolocation.watchPosition(seen, unseen, { enableHighAccuracy: true, maximumAge: 5000 });
  timer = setInterval(send, data.every_ms);
  setTimeout(send, 3000);
  stayAwake();
  $("begin").hidden = true;
  $("end").hidden = false;
  say("正在上报。");
}

function end() {
  if (watched !== null) navigator.geolocation.clearWatch(watched);
  clearInterval(timer);
  watched = timer = null;
  awake?.release?.();
  $("begin").hidden = false;
  $("end").hidden = true;
  say("没有上报。");
  send();
}

$("begin").addEventListener("click", begin);
$("end").addEventListener("click", end);
window.addEventListener("online", send);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && timer) stayAwake();
});
keep();
if (state.waiting.length) send();
