// The agency's report saves itself: one save after another, each upon the version that the one before it made.

const report = document.getElementById("agency-report");
const state = document.getElementById("report-state");
const QUIET_MS = 1500;
let waiting = 0;
let unsaved = false;
let saving = null;
let leaving = false;

async function saveNow() {
  unsaved = false;
  try {
    const answer = await fetch(report.dataset.save, { method: "POST", body: new FormData(report), redirect: "manual" });
    const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    if (answer.ok && said.version) {
      report.elements.version.value = said.version;
      state.textContent = `草稿已自动保存 ${new Date().toLocaleTimeString("zh-CN")}`;
      return;
    }
    unsaved = true;
    state.textContent = said.words ?? "没有保存上：请重新登录或刷新后再试，文字还在本页。";
  } catch {
    unsaved = true;
    state.textContent = "连不上服务器，文字还在本页，稍后会再试。";
    waiting = setTimeout(save, 10 * QUIET_MS);
  }
}

/** A save that is asked for while one is under way comes after it. */
function save() {
  clearTimeout(waiting);
  const mine = (saving ?? Promise.resolve()).then(() => unsaved && saveNow());
  saving = mine;
  mine.finally(() => {
    if (saving === mine) saving = null;
  });
}

report.addEventListener("input", () => {
  unsaved = true;
  clearTimeout(waiting);
  waiting = setTimeout(save, QUIET_MS);
});
// Handing in goes out upon the version of the last save, so that one is waited for, before anything is asked.
report.addEventListener("submit", async (event) => {
  leaving = true;
  if (!saving) return;
  event.preventDefault();
  event.stopPropagation();
  const { submitter } = event;
  while (saving) await saving;
  report.requestSubmit(submitter);
});
window.addEventListener("beforeunload", (event) => unsaved && !leaving && event.preventDefault());
