// Codes come in by the camera, where the browser reads codes, or by a field that a hand scanner types into.

const EVERY_MS = 150;
const FORMATS = ["qr_code", "code_128", "data_matrix"];

export const hasCamera = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);

/** The text that a person reads off a label of ours, from what its code says. */
export function lotOf(text) {
  const said = text.trim();
  const fields = said.split("/");
  if (!said.toUpperCase().startsWith("WF1/")) return said;
  try {
    return decodeURIComponent(fields[3] ?? "");
  } catch {
    return "";
  }
}

/** A field that takes what a hand scanner types and ends with Enter, and has the focus again when it is lost. */
export class HandScanner {
  constructor(field, found) {
    this.field = field;
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.take(found);
    });
    field.addEventListener("blur", () => setTimeout(() => this.hold(), 250));
  }

  take(found) {
    const text = this.field.value.trim();
    this.field.value = "";
    if (text) found(text);
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Take the focus, unless a person is at another control. */
  hold() {
    const at = document.activeElement;
    const isElsewhere = at && at !== document.body && at.matches("input, textarea, select, button, a, summary, dialog *");
    if (this.field.offsetParent !== null && !isElsewhere) this.focus();
  }
}

export class Camera {
  constructor(video, found) {
    Object.assign(this, { video, found, stream: null });
  }

  async start() {
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    const supported = await BarcodeDetector.getSupportedFormats();
    const detector = new BarcodeDetector({ formats: FORMATS.filter((each) => supported.includes(each)) });
    let last = "";
    const look = async () => {
      if (!this.stream) return;
      const codes = await detector.detect(this.video).catch(() => []);
      const text = codes[0]?.rawValue ?? "";
      if (text && text !== last) {
        navigator.vibrate?.(60);
        this.found(text);
      }
      if (text) last = text;
      setTimeout(look, EVERY_MS);
    };
    look();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }
}
