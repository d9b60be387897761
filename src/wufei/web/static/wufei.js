// What every page may use. No inline scripts anywhere: the content security policy forbids them.

/** Ask before a form with data-confirm is sent. */
function askFirst(event) {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  const dialog = document.getElementById("ask");
  dialog.querySelector("[data-question]").textContent = question;
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "1";
      form.requestSubmit(event.submitter ?? undefined);
      delete form.dataset.confirmed;
    },
    { once: true },
  );
  dialog.showModal();
}

/** Copy the text of the element that data-copy names. */
async function copyText(button) {
  const text = document.querySelector(button.dataset.copy).textContent.trim();
  await navigator.clipboard.writeText(text);
  button.querySelector("[data-copy-label]").textContent = "已复制";
}

/** Send filters without an extra click; the button remains for those without scripts. */
function sendFilters(event) {
  if (event.target.matches("form[data-filters] select")) event.target.form.requestSubmit();
}

/** Warn before a form with unsaved words is left. */
function guardForms() {
  for (const form of document.querySelectorAll("form[data-guard]")) {
    let changed = false;
    form.addEventListener("input", () => (changed = true));
    form.addEventListener("submit", () => (changed = false));
    window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
  }
}

/** The navigation is a dialog only while it is opened over the page, and has its name only then. */
function nameDialog(event) {
  const { dialogName } = event.target.dataset;
  if (!dialogName) return;
  if (event.type === "show.bs.offcanvas") event.target.setAttribute("aria-label", dialogName);
  else event.target.removeAttribute("aria-label");
}

document.addEventListener("show.bs.offcanvas", nameDialog);
document.addEventListener("hidden.bs.offcanvas", nameDialog);
document.addEventListener("submit", askFirst);
document.addEventListener("change", sendFilters);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyText(button);
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("DOMContentLoaded", () => {
  guardForms();
  document.querySelector("[data-focus-first]")?.focus();
});
