// Dragging does what the chosen tool says. The wheel scrolls the page; with Ctrl it zooms.
const DRAG = 4; // pixels from which a click is a drag

function listen(view) {
  const { place } = view;
  let path = null; // of the pointer that is down, in pixels of the drawing
  const at = (event) => {
    const frame = view.drawing.svg.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  const dragged = () => path.some(([x, y]) => Math.hypot(x - path[0][0], y - path[0][1]) >= DRAG);
  const outline = () => {
    if (view.tool === "lasso") return path;
    const [[x0, y0], [x1, y1]] = [path[0], path.at(-1)];
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  };
  const frame = (corners) => view.drawing.framed.setAttribute("d", corners.length ? `M${corners.join("L")}z` : "");

  place.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".tools") || !view.drawing.holds(...at(event))) return;
    path = [at(event)];
    place.setPointerCapture(event.pointerId);
  });
  place.addEventListener("pointermove", (event) => {
    if (!path) return view.point(event.target.closest(".tools") ? -1 : view.drawing.nearest(...at(event)));
    const [before, now] = [path.at(-1), at(event)];
    path.push(now);
    if (!dragged()) return;
    view.point(-1);
    if (view.tool === "pan") view.pan(now[0] - before[0], now[1] - before[1]);
    else frame(outline());
  });
  place.addEventListener("pointerup", (event) => {
    if (!path) return;
    const drawn = dragged() ? outline() : null;
    const clicked = view.drawing.nearest(...at(event));
    path = null;
    frame([]);
    if (!drawn) return clicked >= 0 && view.choose([clicked]);
    if (view.tool === "zoom") view.enlarge(drawn[0], drawn[2]);
    else if (view.tool !== "pan") view.choose(view.drawing.within(drawn));
  });
  place.addEventListener("pointercancel", () => { path = null; frame([]); });
  place.addEventListener("pointerleave", () => { if (!path) view.point(-1); });
  place.addEventListener("dblclick", (event) => {
    if (["pan", "zoom"].includes(view.tool) && !event.target.closest(".tools")) view.all();
  });
  place.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    view.zoom(Math.exp(-clamp(event.deltaY * lines, -120, 120) * 0.004), ...at(event));
  }, { passive: false });
  for (const button of place.querySelectorAll("button")) button.addEventListener("click", () => view.press(button.dataset));
}

// Arrows go to the nearest dot on that side, Enter selects it.
const SIDES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const KEYS = { "+": "in", "=": "in", "-": "out", 0: "all" };

function listenToKeys(view, svg) {
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (SIDES[event.key]) view.step(...SIDES[event.key]);
    else if (KEYS[event.key]) view.press({ do: KEYS[event.key] });
    else if ((event.key === "Enter" || event.key === " ") && view.pointed >= 0) view.choose([view.pointed]);
    else if (event.key === "Escape") view.point(-1);
    else return;
    event.preventDefault();
  });
  svg.addEventListener("blur", () => view.point(-1));
}
