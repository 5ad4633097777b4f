// Where the drawing lies in its window: screen = drawing * k + (x, y).
class Camera {
  constructor(canvas, moved) {
    this.canvas = canvas;
    this.moved = moved;
    this.at = { x: 0, y: 0, k: 1 };
    this.size = { width: 1, height: 1 };
    this.entry = [0, 0, 0, 0]; // the box to begin with
    this.word = 11; // pixels of the smallest text at scale 1
  }

  get window() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  put(at) {
    this.at = at;
    if (this.layer) this.layer.setAttribute("transform", `translate(${at.x} ${at.y}) scale(${at.k})`);
    this.layer?.classList.toggle("far", at.k < FAR);
    this.moved();
  }

  // The scale at which the smallest text is as large as the style sheet asks.
  get readable() {
    return parseFloat(getComputedStyle(this.canvas).fontSize) / this.word;
  }

  whole() {
    const { width, height } = this.window;
    const k = Math.min((width - 2 * MARGIN) / this.size.width, (height - 2 * MARGIN) / this.size.height, LARGEST);
    return { k, x: (width - this.size.width * k) / 2, y: (height - this.size.height * k) / 2 };
  }

  // All of it where that can be read, else the box to begin with at a size that can; of a wider one its end,
  // where the branches meet, of a higher one its beginning.
  start() {
    const whole = this.whole();
    const k = this.readable;
    if (whole.k >= k) return whole;
    const { width, height } = this.window;
    const place = (room, length, low, extent, edge) => {
      const spare = room - length * k;
      if (spare >= 2 * MARGIN) return spare / 2;
      const fits = extent * k <= room - 2 * MARGIN;
      return clamp(fits ? room / 2 - (low + extent / 2) * k : edge, spare - MARGIN, MARGIN);
    };
    const [x, y, w, h] = this.entry;
    const [end, top] = [width - MARGIN - (x + w) * k, MARGIN - y * k];
    return { k, x: place(width, this.size.width, x, w, end), y: place(height, this.size.height, y, h, top) };
  }

  zoom(factor, x = this.window.width / 2, y = this.window.height / 2) {
    const { at } = this;
    const k = clamp(at.k * factor, Math.min(this.whole().k, this.readable) * 0.6, CLOSEST);
    const by = k / at.k;
    this.stop();
    this.put({ k, x: x - (x - at.x) * by, y: y - (y - at.y) * by });
  }

  pan(dx, dy) {
    this.stop();
    this.put({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  // The least movement that brings a box into the window; smaller if it would not fit otherwise.
  reveal([x, y, width, height], { centre = false } = {}) {
    const room = this.window;
    const fits = Math.min((room.width - 2 * MARGIN) / width, (room.height - 2 * MARGIN) / height);
    const k = Math.min(this.at.k, Math.max(fits, this.readable * FARTHEST));
    const anchor = { x: this.at.x + x * (this.at.k - k), y: this.at.y + y * (this.at.k - k) };
    const along = (offset, low, length, space) => {
      const [start, end] = [low * k + offset, (low + length) * k + offset];
      if (centre) return offset + (space - start - end) / 2;
      if (end - start > space - 2 * MARGIN) return offset + MARGIN - start;
      return offset + Math.max(0, MARGIN - start) - Math.max(0, end - (space - MARGIN));
    };
    this.glide({ k, x: along(anchor.x, x, width, room.width), y: along(anchor.y, y, height, room.height) });
  }

  glide(to) {
    this.stop();
    const from = this.at;
    const far = Math.abs(to.x - from.x) + Math.abs(to.y - from.y) + 100 * Math.abs(to.k - from.k);
    if (far < 2) return;
    if (calm()) { this.put(to); return; }
    let began;
    const step = (now) => {
      began ??= now;
      const part = Math.min(1, (now - began) / 240);
      const eased = 1 - (1 - part) ** 3;
      this.put({
        k: from.k + (to.k - from.k) * eased,
        x: from.x + (to.x - from.x) * eased,
        y: from.y + (to.y - from.y) * eased,
      });
      this.frame = part < 1 ? requestAnimationFrame(step) : undefined;
    };
    this.frame = requestAnimationFrame(step);
  }

  stop() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }
}
