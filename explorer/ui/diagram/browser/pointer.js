// Drag, wheel and pinch. The wheel scrolls the page until the visitor has taken hold of the drawing.
function listen(view) {
  const { canvas, camera } = view;
  const pointers = new Map();
  let dragged = 0;
  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button, .facts")) return;
    view.held = true;
    pointers.set(event.pointerId, place(event));
    dragged = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    dragged += Math.abs(dx) + Math.abs(dy);
    if (dragged < DRAG) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("dragging");
    view.tip.hidden = true;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const length = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      camera.zoom(length(now) / length(before), other[0], other[1]);
    } else camera.pan(dx, dy);
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { view.held = canvas.contains(canvas.getRootNode().activeElement); });
  canvas.addEventListener("click", (event) => {
    if (dragged >= DRAG) { event.stopPropagation(); event.preventDefault(); }
  }, { capture: true });
  canvas.addEventListener("wheel", (event) => {
    if (!view.held && !event.ctrlKey && !event.metaKey) { view.hint(); return; }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    camera.zoom(Math.exp(-clamp(event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.012 : 0.003)), ...place(event));
  }, { passive: false });
}
