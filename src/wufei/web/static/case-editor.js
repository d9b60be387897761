// The case editor: autosaves go out one after another, each with the base as it is when it leaves.
// 全部保存 goes last: it waits until they are answered, so that it too is upon the text that was saved.

const editor = document.getElementById("editor");
const unsaved = new Set();
const underWay = new Set(); // autosaves that are sent and not answered
let saving = false; // 全部保存 was pressed
let leaving = false; // and the whole is on its way: nothing else may be sent

const fieldOf = ({ request, sourceElement }) =>
  request?.body instanceof URLSearchParams && editor.contains(sourceElement) ? request.body.get("field") : null;

/** An autosave that waited in the queue is upon the text that the one before it saved. */
function bringBase(event) {
  const { ctx } = event.detail;
  const field = fieldOf(ctx);
  if (!field) return;
  if (leaving) return event.preventDefault();
  underWay.add(ctx);
  ctx.request.body.set(`base-${field}`, document.getElementById(`base-${field}`).value);
}

/** Send the whole once no autosave is on its way; the next of a queue starts right after the one before it. */
function saveAll(event) {
  if (leaving) return;
  event.preventDefault();
  if (saving) return;
  saving = true;
  const { submitter } = event;
  const go = (ended) =>
    setTimeout(() => {
      if (underWay.size) return;
      document.removeEventListener("htmx:finally:request", go);
      saving = false;
      if (ended && !ended.detail.ctx.response) return; // no network: the texts stay on the page
      leaving = true;
      unsaved.clear();
      editor.requestSubmit(submitter);
    });
  document.addEventListener("htmx:finally:request", go);
  go();
}

function tellState() {
  const told = editor.querySelector("[data-all-saved]");
  if (told) told.textContent = unsaved.size ? "有文字还没有保存…" : "全部已保存。";
}

/** What was typed since it was sent is still unsaved. */
function afterSave(event) {
  const { ctx } = event.detail;
  underWay.delete(ctx);
  const field = fieldOf(ctx);
  if (!field || leaving) return;
  const { body } = ctx.request;
  const box = editor.elements[field];
  const sent = body.get(field)?.replaceAll("\r\n", "\n");
  if (ctx.response?.status === 200 && (body.has("adopt") || box.value === sent)) unsaved.delete(field);
  if (!ctx.response) document.getElementById(`state-${field}`).textContent = "连不上服务器，文字还在框里，稍后会再试。";
  tellState();
}

if (editor?.dataset.save) {
  editor.addEventListener("input", (event) => {
    if (event.target.name) unsaved.add(event.target.name);
    tellState();
  });
  editor.addEventListener("submit", saveAll);
  // Back from another page, as the browser kept this one.
  window.addEventListener("pageshow", () => (leaving = false));
  document.addEventListener("htmx:before:request", bringBase);
  document.addEventListener("htmx:finally:request", afterSave);
  window.addEventListener("beforeunload", (event) => unsaved.size && event.preventDefault());
}
