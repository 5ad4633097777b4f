// A small picture of all of it with a frame around what is on screen; only where not all of it is.
class Minimap {
  constructor(view) {
    this.view = view;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.classList.add("map");
    this.svg.setAttribute("aria-hidden", "true");
    view.canvas.append(this.svg);
    const go = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const frame = this.svg.getBoundingClientRect();
      const { camera } = this.view;
      const part = [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
      const { k } = camera.at;
      camera.stop();
      camera.put({
        k,
        x: camera.window.width / 2 - part[0] * camera.size.width * k,
        y: camera.window.height / 2 - part[1] * camera.size.height * k,
      });
      event.stopPropagation();
    };
    this.svg.addEventListener("pointerdown", go);
    this.svg.addEventListener("pointermove", go);
  }

  draw() {
    const { camera, boxes } = this.view;
    const { width, height } = camera.size;
    const scale = Math.min(160 / width, 66 / height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.style.width = `${Math.max(24, width * scale)}px`;
    this.svg.style.height = `${Math.max(14, height * scale)}px`;
    this.svg.replaceChildren();
    for (const { box: [x, y, w, h], group } of boxes.values()) {
      const rect = document.createElementNS(SVG, "rect");
      for (const [name, value] of Object.entries({ x, y, width: w, height: h })) rect.setAttribute(name, value);
      rect.setAttribute("class", group.classList.contains("open") ? "box" : "dot");
      this.svg.append(rect);
    }
    this.frame = document.createElementNS(SVG, "rect");
    this.frame.setAttribute("class", "frame");
    this.svg.append(this.frame);
  }

  follow() {
    if (!this.frame) return;
    const { camera } = this.view;
    const { x, y, k } = camera.at;
    const room = camera.window;
    const seen = { x: -x / k, y: -y / k, width: room.width / k, height: room.height / k };
    const all = seen.x <= 1 && seen.y <= 1 && seen.x + seen.width >= camera.size.width - 1 && seen.y + seen.height >= camera.size.height - 1;
    this.svg.classList.toggle("needless", all);
    const left = clamp(seen.x, 0, camera.size.width), top = clamp(seen.y, 0, camera.size.height);
    this.frame.setAttribute("x", left);
    this.frame.setAttribute("y", top);
    this.frame.setAttribute("width", Math.max(0, Math.min(seen.x + seen.width, camera.size.width) - left));
    this.frame.setAttribute("height", Math.max(0, Math.min(seen.y + seen.height, camera.size.height) - top));
  }
}
