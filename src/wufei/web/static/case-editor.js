// The case editor: autosaves go out one after another, each with the base as it is when it leaves.

const editor = document.getElementById("editor");
const unsaved = new Set();

/** An autosave that waited in the queue is upon the text that the one before it saved. */
function bringBase(event) {
  const { request, sourceElement } = event.detail.ctx;
  const field = request.body instanceof URLSearchParams && request.body.get("field");
  if (!field || !editor.contains(sourceElement)) return;
  request.body.set(`base-${field}`, document.getElementById(`base-${field}`).value);
}

function tellState() {
  const told = editor.querySelector("[data-all-saved]");
  if (told) told.textContent = unsaved.size ? "有文字还没有保存…" : "全部已保存。";
}

/** What was typed since it was sent is still unsaved. */
function afterSave(event) {
  const { sourceElement, request, response } = event.detail.ctx;
  const field = request?.body instanceof URLSearchParams && request.body.get("field");
  if (!field || !editor.contains(sourceElement)) return;
  const box = editor.elements[field];
  const sent = request.body.get(field)?.replaceAll("\r\n", "\n");
  if (response?.status === 200 && (request.body.has("adopt") || box.value === sent)) unsaved.delete(field);
  if (!response) document.getElementById(`state-${field}`).textContent = "连不上服务器，文字还在框里，稍后会再试。";
  tellState();
}

if (editor?.dataset.save) {
  editor.addEventListener("input", (event) => {
    if (event.target.name) unsaved.add(event.target.name);
    tellState();
  });
  editor.addEventListener("submit", () => unsaved.clear());
  document.addEventListener("htmx:before:request", bringBase);
  document.addEventListener("htmx:finally:request", afterSave);
  window.addEventListener("beforeunload", (event) => unsaved.size && event.preventDefault());
}
