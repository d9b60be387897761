// Charts: <div class="chart" data-chart="ID-of-json-script" data-unit="吨"></div> shows an ECharts option
// written with json_script. Each chart page also has the same numbers in a table.

const PALETTE = ["#17683a", "#0b6e99", "#b26a00", "#7a4fa3", "#a63d40", "#4d5a54", "#5b8c2a", "#2f4b8f"];
const FONT = getComputedStyle(document.body).fontFamily;

function number(value, digits) {
  return new Intl.NumberFormat("zh-CN", { maximumFractionDigits: digits }).format(value);
}

function draw(box) {
  const option = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  const unit = box.dataset.unit ?? "";
  const digits = Number(box.dataset.digits ?? 3);
  const chart = echarts.init(box, null, { renderer: box.dataset.renderer ?? "svg" });
  option.color ??= PALETTE;
  option.textStyle = { fontFamily: FONT, ...option.textStyle };
  option.aria = { enabled: true, decal: { show: Boolean(box.dataset.decal) }, ...option.aria };
  option.animation = !matchMedia("(prefers-reduced-motion: reduce)").matches && option.animation !== false;
  option.tooltip = {
    confine: true,
    valueFormatter: (value) => (value == null ? "—" : `${number(value, digits)} ${unit}`),
    ...option.tooltip,
  };
  chart.setOption(option);
  new ResizeObserver(() => chart.resize()).observe(box);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-chart]").forEach(draw));
