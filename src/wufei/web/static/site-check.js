// The check on site: kept on the phone as it is filled in, sent when there is a network, exactly once.
// The server knows a check by the UUID that is made here, so that sending it again changes nothing.

const PAGES = "site-check-pages";
const STORE = "checks";
const LONGEST_SIDE = 1600;
const JPEG_QUALITY = 0.85;
const AGAIN_MS = 30_000;
const SENT_STAYS_MS = 7 * 24 * 60 * 60 * 1000;
const root = document.getElementById("site-check");
const form = document.getElementById("site-check-form");
const { owner } = root.dataset;

// ---- what is kept on the phone ----------------------------------------------------------

function openStore() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("wufei-site-checks", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function inStore(mode, ask) {
  const store = await openStore();
  try {
    return await new Promise((resolve, reject) => {
      const work = store.transaction(STORE, mode);
      const asked = ask(work.objectStore(STORE));
      work.oncomplete = () => resolve(asked.result);
      work.onerror = work.onabort = () => reject(work.error);
    });
  } finally {
    store.close();
  }
}

const keep = (entry) => inStore("readwrite", (store) => store.put(entry));
const forget = (id) => inStore("readwrite", (store) => store.delete(id));
const kept = (id) => inStore("readonly", (store) => store.get(id));

/** What this person has on this phone; another's is not shown, nor sent under the wrong name. */
async function own() {
  const all = await inStore("readonly", (store) => store.getAll());
  return all.filter((entry) => entry.owner === owner).sort((a, b) => a.made_at - b.made_at);
}

function newEntry() {
  const { code, address, subject } = form.dataset;
  return {
    id: crypto.randomUUID(), owner, code, address, subject, state: "draft", made_at: Date.now(),
    participants: "", words: "", criteria: {}, position: null, photos: [], reason: "",
  };
}

// ---- the sheet --------------------------------------------------------------------------

let entry = null;
const say = (id, words) => (document.getElementById(id).textContent = words);

function inFields() {
  const criteria = {};
  for (const box of form.querySelectorAll("[data-criterion]")) {
    const seen = box.querySelector("input:checked")?.value;
    const words = box.querySelector("textarea").value.trim();
    if (seen || words) criteria[box.dataset.criterion] = { seen: seen ?? "UNSEEN", words };
  }
  return { participants: form.elements.participants.value, words: form.elements.words.value, criteria };
}

const read = () => Object.assign(entry, inFields());

/** Put what was written before this script came into the entry; true where there was something. */
function takeOver({ participants, words, criteria }) {
  entry.participants = participants || entry.participants;
  entry.words = words || entry.words;
  Object.assign(entry.criteria, criteria);
  return Boolean(participants || words || Object.keys(criteria).length);
}

function show() {
  form.elements.participants.value = entry.participants;
  form.elements.words.value = entry.words;
  for (const box of form.querySelectorAll("[data-criterion]")) {
    const said = entry.criteria[box.dataset.criterion];
    for (const choice of box.querySelectorAll("input")) choice.checked = choice.value === said?.seen;
    box.querySelector("textarea").value = said?.words ?? "";
  }
  showPosition();
  showPhotos();
}

function showPosition() {
  const at = entry.position;
  say("position", at ? `${at.latitude.toFixed(6)}, ${at.longitude.toFixed(6)}（精度约 ${Math.round(at.accuracy)} 米）` : "还没有定位。");
}

function showPhotos() {
  const list = document.getElementById("photos");
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  list.replaceChildren(
    ...entry.photos.map((photo, index) => {
      const item = document.createElement("li");
      const image = document.createElement("img");
      image.src = URL.createObjectURL(photo.blob);
      image.alt = photo.name;
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "btn btn-quiet-danger";
      drop.textContent = "删除";
      drop.setAttribute("aria-label", `删除照片 ${photo.name}`);
      drop.addEventListener("click", async () => {
        entry.photos.splice(index, 1);
        await save();
        showPhotos();
      });
      item.append(image, drop);
      return item;
    }),
  );
  say("photo-count", `${entry.photos.length} 张`);
}

async function save() {
  read();
  try {
    await keep(entry);
    say("kept", `已存到本机 ${new Date().toLocaleTimeString("zh-CN")}`);
  } catch {
    say("kept", "本机存不下了，请删除几张照片，或先上传已有的记录。");
  }
}

/** Make a picture small enough to be sent over a bad connection; what the camera noted beside it is left out. */
async function smaller(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const share = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * share));
  canvas.height = Math.max(1, Math.round(bitmap.height * share));
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
}

async function addPhotos(input) {
  say("photo-trouble", "");
  for (const file of input.files) {
    if (entry.photos.length >= Number(form.dataset.maxPhotos)) {
      say("photo-trouble", `一次核查最多 ${form.dataset.maxPhotos} 张，其余请另记一次。`);
      break;
    }
    try {
      const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, "");
      entry.photos.push({ name: `现场-${stamp}-${entry.photos.length + 1}.jpg`, blob: await smaller(file) });
    } catch {
      say("photo-trouble", `“${file.name}”不是能读的图片，没有加入。`);
    }
  }
  input.value = "";
  await save();
  showPhotos();
}

function locate() {
  if (!navigator.geolocation) return say("position", "这台设备不能定位，可以不填。");
  say("position", "正在定位…");
  navigator.geolocation.getCurrentPosition(
    async ({ coords }) => {
      entry.position = { latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy };
      showPosition();
      await save();
    },
    (trouble) => say("position", trouble.code === 1 ? "没有允许定位，可以不填，照样提交。" : "没有定到位，可以到室外再试，或不填。"),
    { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 },
  );
}

async function hand(event) {
  event.preventDefault();
  read();
  if (!entry.participants.trim()) {
    say("trouble", "请填写参加核查的人员。");
    form.elements.participants.focus();
    return;
  }
  say("trouble", "");
  entry.state = "queued";
  entry.reason = "";
  entry.checked_at ??= new Date().toISOString();
  await keep(entry);
  entry = newEntry();
  show();
  say("kept", "");
  await showQueue();
  await sendAll();
  document.getElementById("queue-title").focus();
}

async function begin() {
  const mine = (await own()).filter((each) => each.code === form.dataset.code);
  entry = mine.find((each) => each.state === "draft") ?? newEntry();
  const isWritten = takeOver(inFields()); // people begin before a slow phone has all of the page
  show();
  let waiting = 0;
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    clearTimeout(waiting);
    waiting = setTimeout(save, 400);
  });
  const pickers = form.querySelectorAll("input[type=file]");
  for (const input of pickers) input.addEventListener("change", () => addPhotos(input));
  document.getElementById("locate").addEventListener("click", locate);
  form.addEventListener("submit", hand);
  // A phone may end the page without a word.
  document.addEventListener("visibilitychange", () => document.hidden && save());
  if (isWritten) await save();
  for (const input of pickers) if (input.files.length) await addPhotos(input);
  form.querySelector("[type=submit]").disabled = false; // without the script it would send nothing
  form.dataset.ready = "1";
}

// ---- what waits to be sent --------------------------------------------------------------

const STATES = { draft: "未完成", queued: "待上传", sending: "正在上传", refused: "没有收下", sent: "已上传" };

function action(label, className, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `btn ${className}`;
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

function line(each) {
  const item = document.createElement("li");
  item.dataset.state = each.state;
  item.dataset.check = each.id;
  const what = document.createElement("div");
  what.className = "what";
  const head = document.createElement("strong");
  head.textContent = `${STATES[each.state]}　${each.subject}`;
  const more = document.createElement("div");
  const at = new Date(each.checked_at ?? each.made_at).toLocaleString("zh-CN");
  more.textContent = `${at}，${each.participants || "未填人员"}，${each.photo_count ?? each.photos.length} 张照片`;
  what.append(head, more);
  if (each.reason) {
    const why = document.createElement("p");
    why.className = "why";
    why.textContent = each.reason;
    what.append(why);
  }
  item.append(what);
  const acts = document.createElement("div");
  acts.className = "form-actions";
  if (each.state === "refused") acts.append(action("打开修改", "btn-outline", () => reopen(each.id)));
  if (each.state === "refused" || (each.state === "draft" && each.code !== form?.dataset.code)) {
    acts.append(action("删除", "btn-quiet-danger", () => discard(each)));
  }
  item.append(acts);
  return item;
}

async function showQueue() {
  const all = await own();
  const listed = all.filter((each) => each.state !== "draft" || each.code !== form?.dataset.code);
  document.getElementById("queue").replaceChildren(...listed.map(line));
  const waiting = all.filter((each) => each.state === "queued" || each.state === "sending").length;
  const refused = all.filter((each) => each.state === "refused").length;
  const words = waiting ? `${waiting} 条待上传，有网络时自动上传。` : "没有待上传的记录。";
  say("queue-state", refused ? `${words}有 ${refused} 条没有收下，请看原因。` : words);
}

async function reopen(id) {
  const found = await kept(id);
  found.state = "draft";
  delete found.checked_at;
  await keep(found);
  if (form?.dataset.code !== found.code) {
    location.assign(found.address);
    return;
  }
  if (entry.participants || entry.words || entry.photos.length) await save();
  entry = found;
  show();
  say("trouble", found.reason);
  form.elements.participants.focus();
  await showQueue();
}

async function discard(each) {
  if (!confirm(`删除这条${STATES[each.state]}的记录？删除后不能找回。`)) return;
  await forget(each.id);
  await showQueue();
}

const cookie = (name) => document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

function bodyOf(each) {
  const body = new FormData();
  body.set("client_id", each.id);
  body.set("checked_at", each.checked_at);
  body.set("participants", each.participants);
  body.set("words", each.words);
  body.set("criteria", JSON.stringify(each.criteria));
  if (each.position) {
    body.set("latitude", each.position.latitude.toFixed(6));
    body.set("longitude", each.position.longitude.toFixed(6));
    body.set("accuracy_m", String(Math.round(each.position.accuracy)));
  }
  for (const photo of each.photos) body.append("photos", photo.blob, photo.name);
  return body;
}

/** Send one; true where the others may be tried as well. */
async function send(each) {
  let answer;
  try {
    answer = await fetch(each.address, {
      method: "POST", body: bodyOf(each), redirect: "manual", headers: { "X-CSRFToken": cookie("csrftoken") },
    });
  } catch {
    return false; // no network: it stays in the queue
  }
  if (answer.status === 201) {
    await keep({ ...each, state: "sent", reason: "", photo_count: each.photos.length, photos: [], sent_at: Date.now() });
    return true;
  }
  const signedOut = answer.type === "opaqueredirect" || answer.status === 403; // or its token with it
  if (signedOut || answer.status >= 500 || answer.status === 408 || answer.status === 429) {
    const reason = signedOut ? "登录已过期，请重新登录后回到本页，会自动上传。" : "服务器暂时没有收下，稍后自动再试。";
    await keep({ ...each, state: "queued", reason });
    return false;
  }
  const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : null;
  const gone = "这件申报已不在您的办理范围，没有收下。内容仍在本机，可抄录后删除。";
  const reason = said?.words ?? (answer.status === 404 ? gone : `服务器没有收下（${answer.status}），请把照片减少后再试。`);
  await keep({ ...each, state: "refused", reason });
  return true;
}

/** Send what waits, one after another, in one window only. */
async function sendAll() {
  if (!navigator.onLine) return;
  await navigator.locks.request("wufei-site-checks", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    for (const each of await own()) {
      if (each.state === "sent" && Date.now() - each.sent_at > SENT_STAYS_MS) await forget(each.id);
      if (each.state === "queued" && !(await send(each))) break;
      await showQueue();
    }
  });
  await showQueue();
}

// ---- the page ---------------------------------------------------------------------------

function tellNetwork() {
  say("network", navigator.onLine ? "有网络" : "没有网络：照常填写，记录存在本机，有网络时自动上传。");
  root.classList.toggle("offline", !navigator.onLine);
}

/** Keep this page, and those that it leads to, on the phone; another person's pages are thrown away. */
async function keepPages() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(root.dataset.worker);
  await navigator.serviceWorker.ready;
  if (!navigator.onLine) return;
  if (localStorage.getItem("site-check-owner") !== owner) {
    await caches.delete(PAGES);
    localStorage.setItem("site-check-owner", owner);
  }
  const cache = await caches.open(PAGES);
  const wanted = [location.pathname, ...[...document.querySelectorAll("a[data-keep]")].map((a) => a.getAttribute("href"))];
  let done = 0;
  for (const address of wanted) {
    try {
      const answer = await fetch(address);
      if (answer.ok && !answer.redirected) {
        await cache.put(address, answer);
        done += 1;
      }
    } catch {
      break;
    }
  }
  say("offline-ready", `${done} 个页面已存到本机，没有网络也能打开。`);
  root.dataset.kept = "1";
}

window.addEventListener("online", () => {
  tellNetwork();
  sendAll();
});
window.addEventListener("offline", tellNetwork);
setInterval(sendAll, AGAIN_MS);
tellNetwork();
if (form) await begin();
await showQueue();
keepPages().catch(() => say("offline-ready", "这个浏览器不能离线打开本页，请保持页面打开。"));
sendAll();

export {};
