// The worker's page: weigh, save, label, put into store; also without a network. Usual case: one tap.

import { Queue, dayOf, fact, keepFact, numbersOf } from "./work-queue.js";
import { Camera, HandScanner, hasCamera, lotOf } from "./work-scanner.js";

const PAGES = "work-pages";
const POLL_MS = 1500;
const AGAIN_MS = 20_000;
const STALE_MS = 15 * 60_000; // a reading is of what stands on the scale now
const DIGITS = 7;
const root = document.getElementById("work");
const data = JSON.parse(document.getElementById("work-data").textContent);
const $ = (id) => document.getElementById(id);
const say = (id, words) => {
  if ($(id).textContent !== words) $(id).textContent = words;
};
const PHONE = `phone ${data.uscc}`;
const CHOSEN = `chosen ${data.owner}`;
const STATES = { queued: "待上传", refused: "没有收下", sent: "已上传", abandoned: "已放弃" };
const NEEDS_ANOTHER_DAY = new Set(["month_closed", "made_in_future", "moved_on_in_future"]);

const byCode = (rows, code) => rows.find((row) => row.code === code);
const kilograms = (grams) => {
  const text = (BigInt(grams) / 1000n).toString();
  const rest = String(grams % 1000).padStart(3, "0").replace(/0+$/, "");
  return rest ? `${text}.${rest}` : text;
};

/** Typed kilograms as whole grams, without a fraction ever being binary; 0 where there is no number. */
function gramsOf(text) {
  const [whole, part = ""] = text.split(".");
  return Number(whole || "0") * 1000 + Number(part.padEnd(3, "0"));
}

// ---- what is chosen, and remembered -------------------------------------------------------

const chosen = { stream: "", store: "", scale: "", packaging: "" };
let typed = "";
let offered = null; // the scale's reading
let trouble = "";
let mending = null; // the refused entry that is being mended
let signedOut = false;

const isTyping = () => !chosen.scale || !navigator.onLine || signedOut || typed !== "";
const weight = () => (isTyping() ? gramsOf(typed) : (offered?.net_g ?? 0));

async function choose(name, value) {
  chosen[name] = value;
  if (name === "scale") {
    offered = null;
    trouble = "";
    const store = byCode(data.scales, value)?.store;
    if (store) chosen.store = store;
  }
  for (const details of document.querySelectorAll(`details[data-chooses="${name}"]`)) details.open = false;
  await keepFact(CHOSEN, { ...chosen });
  show();
  reserve().catch(() => {}); // without a network, later
}

function showChoices() {
  const stream = byCode(data.streams, chosen.stream);
  say("stream-said", stream ? `${stream.process} · ${stream.name}` : "请选择");
  say("stream-warning", stream?.warning ?? "");
  const scale = byCode(data.scales, chosen.scale);
  say("scale-said", scale ? scale.name : "手工输入");
  say("packaging-said", byCode(data.packagings, chosen.packaging)?.name ?? "请选择");
  const store = byCode(data.stores, chosen.store);
  say("store-said", store ? store.name : "请选择");
  for (const box of root.querySelectorAll("input[data-choice]")) box.checked = chosen[box.dataset.choice] === box.value;
}

function showWeight() {
  const grams = weight();
  say("weight", isTyping() ? typed || "0" : offered ? kilograms(offered.net_g) : "—");
  $("weight").classList.toggle("is-empty", grams === 0);
  $("keypad").hidden = !isTyping();
  $("type-instead").hidden = isTyping();
  $("use-scale").hidden = !chosen.scale || !isTyping() || !navigator.onLine || signedOut;
  say("weight-source", sourceWords());
  $("weight-source").classList.toggle("why", Boolean(trouble) && !isTyping() && !offered);
  $("save").disabled = !(grams > 0 && chosen.stream && chosen.store && $("save").dataset.ready);
  say("save-words", mending ? "重新提交" : "保存");
}

function sourceWords() {
  if (isTyping()) return chosen.scale && !navigator.onLine ? "没有网络，取不到秤的读数，请手工输入。" : "手工输入，千克";
  const name = byCode(data.scales, chosen.scale).name;
  if (!offered) return trouble || `等 ${name} 的读数…`;
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(offered.taken_at)) / 1000));
  return `${name} #${offered.sequence} · ${seconds < 90 ? `${seconds} 秒前` : `${Math.round(seconds / 60)} 分钟前`}`;
}

function show() {
  showChoices();
  showWeight();
}

// ---- the weight: from the scale, or typed ---------------------------------------------------

async function ask(address) {
  const answer = await fetch(address, { redirect: "manual", headers: { Accept: "application/json" } });
  if (answer.type === "opaqueredirect") {
    tellSignedOut(true);
    return null;
  }
  return { ok: answer.ok, said: answer.headers.get("content-type")?.includes("json") ? await answer.json() : {} };
}

async function poll() {
  if (offered && Date.now() - Date.parse(offered.taken_at) > STALE_MS) offered = null;
  if (!chosen.scale || isTyping() || document.hidden || $("generate").hidden) return showWeight();
  const scale = chosen.scale;
  try {
    const answer = await ask(data.addresses.reading.replace("CODE", encodeURIComponent(scale)));
    if (answer && scale === chosen.scale) {
      offered = answer.ok ? answer.said.reading : null;
      trouble = answer.ok ? answer.said.trouble : answer.said.words;
      if (offered && taken.has(`${scale} ${offered.sequence}`)) offered = null;
    }
  } catch {
    offered = null;
  }
  showWeight();
}

// What was saved here and may still wait to be sent: the server still offers it.
const taken = new Set();

function press(key) {
  if (key === "back") typed = typed.slice(0, -1);
  else if (key === ".") typed = typed.includes(".") ? typed : `${typed || "0"}.`;
  else {
    const [whole, part] = typed.split(".");
    const isFull = part === undefined ? whole.length >= DIGITS : part.length >= 3;
    if (!isFull) typed = typed === "0" ? key : typed + key;
  }
  showWeight();
}

// ---- saving -----------------------------------------------------------------------------------

const queue = new Queue({ owner: data.owner, address: data.addresses.entries, changed: showQueue, signedOut: tellSignedOut });

function entryOf() {
  const stream = byCode(data.streams, chosen.stream);
  const store = byCode(data.stores, chosen.store);
  const body = { kind: "generation", stream: stream.code, store: store.code, mass_g: weight(), reading: null, packaging: chosen.packaging };
  if (!isTyping()) body.reading = { scale: chosen.scale, sequence: offered.sequence };
  return { body, words: `${stream.name} ${kilograms(body.mass_g)} 千克，入 ${store.name}` };
}

let saving = Promise.resolve(); // entries are written down one after another, in the order they were saved

async function save() {
  if ($("save").disabled) return;
  const { body, words } = entryOf();
  const was = { typed, offered, mending };
  // Cleared before the phone has written it down: what is typed meanwhile is the next container's weight.
  if (body.reading) taken.add(`${body.reading.scale} ${body.reading.sequence}`);
  typed = "";
  offered = null;
  mending = null;
  say("trouble", "");
  show();
  saving = saving.then(() => keep(was, body, words));
  await saving;
}

async function keep(was, body, words) {
  let lot;
  try {
    if (was.mending) {
      lot = was.mending.body.lot;
      if ((was.mending.code ?? "").startsWith("number_") || was.mending.body.stream !== body.stream) body.digital_id = null;
      await queue.mend(was.mending, body, words, { isOfNow: NEEDS_ANOTHER_DAY.has(was.mending.code) });
    } else {
      const hazardous = byCode(data.streams, body.stream).hazardous_code;
      lot = (await queue.add(body, words, { numbered: true, hazardous })).body.lot;
    }
  } catch {
    if (body.reading) taken.delete(`${body.reading.scale} ${body.reading.sequence}`);
    if (!typed && !mending) ({ typed, offered, mending } = was);
    say("trouble", `本机存不下了，没有保存：${words}。请先连上网络上传已有的记录。`);
    return show();
  }
  lastLot = lot;
  $("done").hidden = false;
  say("done-lot", lot);
  say("done-words", words);
  await showDone();
  navigator.vibrate?.(40);
  queue.sendAll();
}

let lastLot = "";

/** The label can be printed as soon as the server knows the lot. */
async function showDone() {
  const entry = (await queue.own()).findLast((each) => each.body.lot === lastLot && each.body.kind === "generation");
  if (!entry) return;
  say("done-state", entry.state === "sent" ? `已记账，第 ${entry.said.seq} 号` : entry.state === "refused" ? `没有收下：${entry.reason}` : "已存在本机，待上传");
  const number = entry.said?.digital_id || entry.body.digital_id || "";
  say("done-number", number ? `数字识别码 ${number.replace(/^(.{18})(.{8})(.{8})/, "$1 $2 $3 ")}` : (entry.said?.label_trouble ?? ""));
  $("print").hidden = entry.state !== "sent";
  if (entry.state === "sent") $("print").href = data.addresses.label.replace("/0/", `/${entry.said.lot_id}/`);
}

// ---- into another store ---------------------------------------------------------------------------

let scanned = null; // { text, lot, words, seen_in }
let target = "";

async function found(text) {
  say("move-trouble", "");
  const store = byCode(data.stores, text.trim());
  if (store) target = store.code;
  else {
    const lot = lotOf(text);
    scanned = { text: text.trim(), lot, words: lot, seen_in: null };
    await lookUp(scanned);
  }
  await moveIfBothAreThere();
}

/** Say what was scanned: from what was entered here, or from the server where there is a network. */
async function lookUp(what) {
  const entries = (await queue.own()).filter((each) => each.body.lot === what.lot && each.state !== "abandoned");
  const last = entries.at(-1);
  if (last) {
    what.seen_in = last.body.kind === "relocation" ? last.body.to_store : last.body.store;
    what.words = `${what.lot}（${byCode(data.stores, what.seen_in)?.name ?? what.seen_in}）`;
  }
  if (!navigator.onLine || entries.some((each) => each.state === "queued")) return;
  try {
    const answer = await ask(`${data.addresses.lots}?code=${encodeURIComponent(what.text)}`);
    if (!answer) return;
    if (!answer.ok) {
      say("move-trouble", answer.said.words ?? "没有查到这个容器。");
      if (scanned === what) scanned = null;
      return;
    }
    const { lot, stream_name, mass_g, store, store_name } = answer.said;
    Object.assign(what, { lot, seen_in: store });
    what.words = `${lot} ${stream_name} ${kilograms(mass_g)} 千克（${store_name ?? "不在库中"}）`;
  } catch {
    // no network after all: what was read off the label is enough
  }
}

async function moveIfBothAreThere() {
  if (scanned && target) {
    const { text, lot, words, seen_in } = scanned;
    const body = { kind: "relocation", scanned: text, lot, to_store: target, seen_in };
    const said = `${words} 移入 ${byCode(data.stores, target).name}`;
    if (mending) await queue.mend(mending, body, said, { isOfNow: NEEDS_ANOTHER_DAY.has(mending.code) });
    else await queue.add(body, said);
    mending = null;
    scanned = null;
    target = "";
    say("move-done", `已保存：${said}`);
    navigator.vibrate?.(40);
    queue.sendAll();
    hand.focus(); // for the next label
  }
  showMove();
}

function showMove() {
  say("scanned", scanned ? scanned.words : "请扫容器标签");
  for (const box of root.querySelectorAll("input[name=target]")) box.checked = box.value === target;
}

// ---- what waits ---------------------------------------------------------------------------------------

function button(label, className, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `btn ${className}`;
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

function line(entry) {
  const item = document.createElement("li");
  item.dataset.state = entry.state;
  item.dataset.entry = entry.body.client_id;
  const head = document.createElement("strong");
  head.textContent = STATES[entry.state];
  const what = document.createElement("span");
  what.textContent = `${entry.body.lot && entry.body.kind !== "relocation" ? `${entry.body.lot} ` : ""}${entry.words}`;
  const at = document.createElement("span");
  at.className = "at";
  at.textContent = new Date(entry.body.made_at).toLocaleString("zh-CN", { dateStyle: "short", timeStyle: "short" });
  item.append(head, what, at);
  if (entry.reason) {
    const why = document.createElement("p");
    why.className = "why";
    why.textContent = entry.reason;
    item.append(why);
  }
  if (entry.state === "refused") {
    const acts = document.createElement("div");
    acts.className = "acts";
    acts.append(
      button("改后重交", "btn-primary", () => mend(entry)),
      button("放弃并说明原因", "btn-outline", () => giveUp(entry)),
    );
    item.append(acts);
  }
  return item;
}

async function showQueue() {
  const [entries, others] = [await queue.own(), await queue.others()];
  const waiting = entries.filter((entry) => entry.state === "queued").length;
  const refused = entries.filter((entry) => entry.state === "refused").length;
  const first = (entry) => ({ refused: 0, queued: 1 })[entry.state] ?? 2;
  const shown = entries.toSorted((a, b) => first(a) - first(b) || (first(a) === 2 ? b.n - a.n : a.n - b.n));
  $("queue").replaceChildren(...shown.map(line));
  say("waiting", `待上传 ${waiting} 条`);
  say("tab-waiting", waiting + refused ? String(waiting + refused) : "");
  say("refused-said", refused ? `有 ${refused} 条没有收下，请处理。` : "");
  say("others-said", others ? `本机还有 ${others} 条是别人填的，由本人登录后上传。` : "");
  root.dataset.waiting = String(waiting);
  const leave = document.querySelector("form[action$='sign-out/']");
  if (leave && waiting) leave.dataset.confirm = `还有 ${waiting} 条待上传。退出后仍存在本机，要等您在这台手机上重新登录才会上传。现在退出？`;
  else if (leave) delete leave.dataset.confirm;
  await showDone();
}

function mend(entry) {
  mending = entry;
  const { body } = entry;
  if (body.kind === "relocation") {
    open("move");
    scanned = { text: body.scanned, lot: body.lot, words: body.lot, seen_in: null };
    target = "";
    say("move-trouble", `${entry.reason}请重新选择移入的设施，或重新扫描。`);
    lookUp(scanned).then(showMove);
  } else {
    Object.assign(chosen, { stream: body.stream, store: body.store, packaging: body.packaging });
    typed = kilograms(body.mass_g);
    say("trouble", `${entry.reason}改好后按“重新提交”。`);
    open("generate");
  }
  show();
}

function giveUp(entry) {
  const dialog = $("give-up");
  say("give-up-what", entry.words);
  $("give-up-reason").value = "";
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    async () => {
      const reason = $("give-up-reason").value.trim();
      if (dialog.returnValue !== "yes" || !reason) return;
      await queue.abandon(entry, reason);
      if (mending?.n === entry.n) mending = null;
      queue.sendAll();
    },
    { once: true },
  );
  dialog.showModal();
}

// ---- the page -------------------------------------------------------------------------------------------

function open(name) {
  for (const section of root.querySelectorAll("section[data-part]")) section.hidden = section.id !== name;
  for (const tab of root.querySelectorAll("[data-opens]")) tab.setAttribute("aria-pressed", String(tab.dataset.opens === name));
  if (name !== "move") camera.stop();
  $("camera-view").hidden = true;
  if (name === "move") hand.focus();
  if (name !== "waits") window.scrollTo(0, 0);
}

function tellNetwork() {
  say("network", navigator.onLine ? "有网络" : "没有网络：照常填写，存在本机，有网络时自动上传。");
  root.classList.toggle("offline", !navigator.onLine);
  showWeight();
}

function tellSignedOut(is) {
  signedOut = is;
  $("signed-out").hidden = !is;
  showWeight();
}

/** Have numbers for the hazardous waste that is chosen, today's and tomorrow's, before they are needed. */
const reserve = () => navigator.locks.request("wufei-work-numbers", reserveMissing);

async function reserveMissing() {
  const wasteCode = byCode(data.streams, chosen.stream)?.hazardous_code;
  if (!wasteCode || !navigator.onLine || signedOut) return;
  for (const day of [dayOf(Date.now()), dayOf(Date.now() + 24 * 60 * 60_000)]) {
    const name = numbersOf(data.uscc, wasteCode, day);
    const block = (await fact(name)) ?? { next: 1, last: 0 };
    if (block.next <= block.last) continue;
    block.client_id ??= crypto.randomUUID();
    await keepFact(name, block); // asked again after a lost answer, it is the same block
    const answer = await post(data.addresses.numbers, { client_id: block.client_id, waste_code: wasteCode, on: day });
    if (!answer.ok) return;
    const { first, last } = await answer.json();
    await keepFact(name, { next: first, last });
  }
}

function post(address, body) {
  const token = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="))?.slice(10) ?? "";
  return fetch(address, {
    method: "POST", redirect: "manual", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  });
}

/** Have the phone's number, that its lot codes begin with; asked once, with a network. */
async function register() {
  let phone = await fact(PHONE);
  if (!phone) {
    phone = { client_id: crypto.randomUUID(), prefix: "", last: 0 };
    await keepFact(PHONE, phone);
  }
  if (!phone.prefix && navigator.onLine) {
    const answer = await post(data.addresses.phone, { client_id: phone.client_id });
    if (answer.ok) {
      phone = { ...phone, prefix: (await answer.json()).prefix };
      await keepFact(PHONE, phone);
    }
  }
  if (phone.prefix) $("save").dataset.ready = "1";
  else say("trouble", "这台手机还没有编号：请连上网络打开一次本页。");
}

/** Keep this page on the phone; another person's is thrown away. */
async function keepPage() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(data.addresses.worker);
  await navigator.serviceWorker.ready;
  if (!navigator.onLine) return;
  const answer = await fetch(location.pathname);
  if (!answer.ok || answer.redirected) return;
  await (await caches.open(PAGES)).put(location.pathname, answer);
  say("offline-ready", "本页已存到本机，没有网络也能打开。");
  root.dataset.kept = "1";
}

const hand = new HandScanner($("scan"), found);
const camera = new Camera($("camera"), found);

function listen() {
  for (const tab of root.querySelectorAll("[data-opens]")) tab.addEventListener("click", () => open(tab.dataset.opens));
  for (const box of root.querySelectorAll("input[data-choice]")) box.addEventListener("change", () => choose(box.dataset.choice, box.value));
  for (const key of root.querySelectorAll("[data-key]")) key.addEventListener("click", () => press(key.dataset.key));
  for (const box of root.querySelectorAll("input[name=target]")) {
    box.addEventListener("change", () => {
      target = box.value;
      moveIfBothAreThere();
    });
  }
  $("save").addEventListener("click", save);
  $("type-instead").addEventListener("click", () => {
    typed = "0";
    showWeight();
  });
  $("use-scale").addEventListener("click", () => {
    typed = "";
    poll();
  });
  $("to-store").addEventListener("click", () => {
    open("move");
    found(lastLot);
  });
  $("take").addEventListener("click", () => hand.take(found));
  $("type-code").addEventListener("click", () => {
    $("scan").inputMode = "text";
    $("scan").focus();
  });
  $("open-camera").hidden = !hasCamera();
  $("open-camera").addEventListener("click", openCamera);
  $("waiting").addEventListener("click", () => open("waits"));
  addEventListener("online", () => {
    tellNetwork();
    register().then(showWeight);
    queue.sendAll();
  });
  addEventListener("offline", tellNetwork);
}

async function openCamera() {
  try {
    $("camera-view").hidden = false;
    await camera.start();
  } catch {
    camera.stop();
    $("camera-view").hidden = true;
    say("move-trouble", "打不开摄像头：请允许使用摄像头，或用扫码枪、手工输入编码。");
  }
}

async function begin() {
  const before = (await fact(CHOSEN)) ?? {};
  const known = { stream: data.streams, store: data.stores, scale: data.scales, packaging: data.packagings };
  for (const [name, rows] of Object.entries(known)) {
    chosen[name] = byCode(rows, before[name]) || (name === "scale" && before.scale === "") ? before[name] : (rows[0]?.code ?? "");
  }
  if (!before.stream && data.streams.length > 1) chosen.stream = "";
  listen();
  await register().catch(() => say("trouble", "没有网络，这台手机还没有编号。"));
  tellNetwork();
  show();
  showMove();
  document.querySelector("details[data-chooses=stream]").open = !chosen.stream; // the first time
  await showQueue();
  setInterval(poll, POLL_MS);
  setInterval(() => queue.sendAll(), AGAIN_MS);
  setInterval(() => reserve().catch(() => {}), AGAIN_MS);
  reserve().catch(() => {});
  poll();
  root.dataset.begun = "1";
  keepPage().catch(() => say("offline-ready", "这个浏览器不能离线打开本页，请保持页面打开。"));
  queue.sendAll();
}

await begin();

export {};
