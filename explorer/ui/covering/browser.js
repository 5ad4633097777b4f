// A photo under a grid of cells that a drag covers or uncovers. The browser holds the mask while it is painted and
// tells it at most every TELL_MS, so that the answer moves along.

const TELL_MS = 150;

const bytes = (text, size) => Uint8Array.from({ length: size }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16) || 0);
const isCovered = (mask, cell) => (mask[cell >> 3] >> (7 - (cell & 7))) & 1;
const written = (mask) => (mask.some(Boolean) ? Array.from(mask, (each) => each.toString(16).padStart(2, "0")).join("") : "");

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".covering");
  const sheet = root.querySelector(".sheet");
  const canvas = root.querySelector("canvas");
  const cursor = root.querySelector(".cursor");
  const { cells, ratio, url, alt, fill, says } = data;
  root.style.setProperty("--ratio", ratio);
  const image = root.querySelector("img");
  if (image.src !== url) image.src = url;
  image.alt = alt;
  sheet.setAttribute("aria-label", `${alt}. Arrow keys move, Space covers or uncovers a cell.`);
  root.querySelector(".note").textContent = says;
  canvas.width = canvas.height = cells;
  const state = (root.state ??= { at: { row: cells / 2, column: cells / 2 } });
  if (!state.painting) state.mask = bytes(data.mask, (cells * cells) / 8);

  const draw = () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, cells, cells);
    context.fillStyle = fill;
    for (let cell = 0; cell < cells * cells; cell += 1) {
      if (isCovered(state.mask, cell)) context.fillRect(cell % cells, Math.floor(cell / cells), 1, 1);
    }
  };
  const tell = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setTriggerValue("mask", written(state.mask)), state.painting ? TELL_MS : 0);
  };
  const set = ({ row, column }, on) => {
    const cell = row * cells + column;
    if (Boolean(isCovered(state.mask, cell)) === on) return;
    state.mask[cell >> 3] ^= 1 << (7 - (cell & 7));
    draw();
    tell();
  };
  const under = (event) => {
    const box = sheet.getBoundingClientRect();
    const part = (at, from, length) => Math.min(cells - 1, Math.max(0, Math.floor(((at - from) / length) * cells)));
    return { row: part(event.clientY, box.top, box.height), column: part(event.clientX, box.left, box.width) };
  };
  sheet.onpointerdown = (event) => {
    sheet.setPointerCapture(event.pointerId);
    const at = under(event);
    state.painting = true;
    state.on = !isCovered(state.mask, at.row * cells + at.column);
    set(at, state.on);
  };
  sheet.onpointermove = (event) => {
    if (!state.painting) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) set(under(each), state.on);
  };
  sheet.onpointerup = sheet.onpointercancel = () => {
    if (!state.painting) return;
    state.painting = false;
    tell();
  };
  const mark = () => {
    const side = 100 / cells;
    Object.assign(cursor.style, { left: `${state.at.column * side}%`, top: `${state.at.row * side}%`, width: `${side}%`, height: `${side}%` });
    cursor.hidden = !sheet.matches(":focus-visible");
  };
  sheet.onfocus = sheet.onblur = mark;
  sheet.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const { at } = state;
    if (step) {
      at.row = Math.min(cells - 1, Math.max(0, at.row + step[0]));
      at.column = Math.min(cells - 1, Math.max(0, at.column + step[1]));
    } else if (event.key === " ") {
      set(at, !isCovered(state.mask, at.row * cells + at.column));
    } else return;
    event.preventDefault();
    mark();
  };
  draw();
  mark();
}
