// What was entered waits on the phone, in order, until the server has it; each entry counts there once, by the
// UUID that is made here.

const ENTRIES = "entries";
const FACTS = "facts";
const FINISHED_SHOWN = 30;
const FINISHED_MS = 3 * 24 * 60 * 60 * 1000;

function openStore() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("wufei-work", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(ENTRIES, { keyPath: "n", autoIncrement: true });
      asked.result.createObjectStore(FACTS);
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** Do one thing in one transaction of the phone's store; what `act` asks for last is the answer. */
async function inStore(mode, act) {
  const store = await openStore();
  try {
    return await new Promise((resolve, reject) => {
      const work = store.transaction([ENTRIES, FACTS], mode);
      let answer;
      act(work.objectStore(ENTRIES), work.objectStore(FACTS), (said) => (answer = said));
      work.oncomplete = () => resolve(answer);
      work.onerror = work.onabort = () => reject(work.error);
    });
  } finally {
    store.close();
  }
}

export const fact = (name) =>
  inStore("readonly", (_entries, facts, answer) => {
    facts.get(name).onsuccess = (event) => answer(event.target.result);
  });
export const keepFact = (name, value) => inStore("readwrite", (_entries, facts) => facts.put(value, name));

const put = (entry) => inStore("readwrite", (entries) => entries.put(entry));
const forget = (n) => inStore("readwrite", (entries) => entries.delete(n));
const all = () =>
  inStore("readonly", (entries, _facts, answer) => {
    entries.getAll().onsuccess = (event) => answer(event.target.result);
  });

const cookie = (name) => document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
const isWaiting = (entry) => entry.state === "queued";

/** The day in China, as 2026-07-01, wherever the phone is. */
export const dayOf = (instant) => new Date(instant).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
export const numbersOf = (uscc, wasteCode, day) => `numbers ${uscc} ${wasteCode} ${day}`;
const digitalId = (uscc, wasteCode, day, n) => `${uscc}${wasteCode}${day}`.replaceAll("-", "") + String(n).padStart(3, "0");

export class Queue {
  /** `changed` is called after each change; `signedOut(true)` when the server no longer knows who asks. */
  constructor({ owner, address, changed, signedOut }) {
    Object.assign(this, { owner, address, changed, signedOut });
  }

  /** What this person entered on this phone, in order; another's is neither shown nor sent. */
  async own() {
    return (await all()).filter((entry) => entry.owner === this.owner);
  }

  /** How many entries of other people wait on this phone. */
  async others() {
    return (await all()).filter((entry) => entry.owner !== this.owner && (isWaiting(entry) || entry.state === "refused")).length;
  }

  /**
   * Add an entry; `numbered` gives its lot the phone's next number, and `hazardous` its container the next of the
   * 数字识别码 reserved for that waste code and day, in the same transaction.
   */
  async add(body, words, { numbered = false, hazardous = "" } = {}) {
    const entry = { owner: this.owner, state: "queued", reason: "", words, body: { ...body } };
    entry.body.client_id = crypto.randomUUID();
    entry.body.made_at = new Date().toISOString();
    await inStore("readwrite", (entries, facts) => {
      if (!numbered) {
        entries.add(entry);
        return;
      }
      const uscc = this.owner.split("@")[1];
      const name = `phone ${uscc}`;
      facts.get(name).onsuccess = (event) => {
        const phone = event.target.result;
        phone.last = (phone.last ?? 0) + 1;
        entry.body.lot = `${phone.prefix}-${String(phone.last).padStart(6, "0")}`;
        facts.put(phone, name);
        if (!hazardous) {
          entries.add(entry);
          return;
        }
        const of = numbersOf(uscc, hazardous, dayOf(entry.body.made_at));
        facts.get(of).onsuccess = (read) => {
          const block = read.target.result;
          if (block?.next <= block?.last) {
            entry.body.digital_id = digitalId(uscc, hazardous, dayOf(entry.body.made_at), block.next);
            facts.put({ ...block, next: block.next + 1 }, of);
          }
          entries.add(entry);
        };
      };
    });
    await this.changed();
    return entry;
  }

  /** Hand in a refused entry again, mended; it keeps its place and its UUID. */
  async mend(entry, body, words, { isOfNow = false } = {}) {
    const made_at = isOfNow ? new Date().toISOString() : entry.body.made_at;
    await put({ ...entry, state: "queued", reason: "", code: "", words, body: { ...entry.body, ...body, made_at } });
    await this.changed();
  }

  /** Give a refused entry up; the server keeps what it was and why. */
  async abandon(entry, reason) {
    const { client_id, made_at } = entry.body;
    const content = { ...entry.body, words: entry.words };
    const body = { kind: "abandonment", client_id, made_at, content, refusal: entry.reason || "没有收下", reason };
    await put({ ...entry, state: "queued", reason: "", code: "", words: `放弃：${entry.words}`, body });
    await this.changed();
  }

  /** Send what waits, one after another, in one window only. */
  async sendAll() {
    if (!navigator.onLine) return;
    await navigator.locks.request("wufei-work", { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      for (let entry = await this.#next(new Set()), tried = new Set(); entry; entry = await this.#next(tried)) {
        tried.add(entry.n);
        if (!(await this.#send(entry))) break;
        await this.changed();
      }
      await this.#tidy();
    });
    await this.changed();
  }

  /** The first that waits and may go: what is about a lot whose earlier entry was refused stays behind it. */
  async #next(tried) {
    const stuck = new Set();
    for (const entry of await this.own()) {
      const { lot } = entry.body;
      if (entry.state === "refused" && lot) stuck.add(lot);
      else if (isWaiting(entry) && !tried.has(entry.n) && !stuck.has(lot)) return entry;
    }
    return null;
  }

  /** Send one; true where the others may be tried as well. */
  async #send(entry) {
    let answer;
    try {
      answer = await fetch(this.address, {
        method: "POST", body: JSON.stringify(entry.body), redirect: "manual",
        headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
      });
    } catch {
      return false; // no network: it stays
    }
    const isJson = answer.headers.get("content-type")?.includes("json");
    if (answer.type === "opaqueredirect" || (answer.status === 403 && !isJson)) {
      this.signedOut(true);
      return false;
    }
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) {
      await put({ ...entry, reason: "服务器暂时没有收下，稍后自动再试。" });
      return false;
    }
    this.signedOut(false);
    const said = isJson ? await answer.json() : {};
    if (answer.status === 201) {
      const state = entry.body.kind === "abandonment" ? "abandoned" : "sent";
      await put({ ...entry, state, reason: "", said, finished_at: Date.now() });
    } else {
      const reason = said.words ?? `服务器没有收下（${answer.status}）。`;
      await put({ ...entry, state: "refused", code: said.code ?? "", reason });
    }
    return true;
  }

  async #tidy() {
    const finished = (await this.own()).filter((entry) => entry.state === "sent" || entry.state === "abandoned");
    const old = finished.filter((entry, at) => at < finished.length - FINISHED_SHOWN || Date.now() - entry.finished_at > FINISHED_MS);
    for (const entry of old) await forget(entry.n);
  }
}
