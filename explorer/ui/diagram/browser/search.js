// Text, a kind, or /a regular expression/, over every node, also those in closed boxes.
function matcher(query) {
  const expression = query.match(/^\/(.+?)\/?$/);
  if (!expression) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return (text) => words.every((word) => text.toLowerCase().includes(word));
  }
  try {
    const pattern = new RegExp(expression[1], "i");
    return (text) => pattern.test(text);
  } catch {
    return null; // still being typed
  }
}

class Search {
  constructor(view, box) {
    this.view = view;
    this.rows = [];
    this.hits = [];
    this.input = box.querySelector("input");
    this.count = box.querySelector(".hits");
    this.input.addEventListener("focus", () => { if (!this.rows.length) view.ask("index"); });
    this.input.addEventListener("input", () => { this.at = -1; this.run(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") { this.input.value = ""; this.run(); this.input.blur(); }
      event.stopPropagation();
    });
  }

  // rows: id, id of the box around it, all its words.
  know(rows) {
    this.rows = rows;
    this.around = new Map(rows.map(([id, parent]) => [id, parent]));
    this.run();
  }

  run() {
    const { view } = this;
    const query = this.input.value.trim();
    const test = query ? matcher(query) : null;
    this.hits = test ? this.rows.filter(([, , words]) => test(words)).map(([id]) => id) : [];
    const found = new Set(this.hits);
    const holding = new Set(this.hits.map((id) => this.visible(id)));
    view.svg?.classList.toggle("searching", Boolean(query && test));
    for (const [id, { group }] of view.boxes) {
      group.classList.toggle("found", found.has(id));
      group.classList.toggle("holds", !found.has(id) && holding.has(id));
    }
    if (!query) this.count.textContent = "";
    else if (!test) this.count.textContent = "not a regular expression yet";
    else if (!this.rows.length) this.count.textContent = "…";
    else this.count.textContent = this.at >= 0 ? `${this.at + 1} of ${this.hits.length}` : `${this.hits.length} found`;
  }

  visible(id) {
    while (id && !this.view.boxes.has(id)) id = this.around.get(id);
    return id;
  }

  next(step) {
    if (!this.hits.length) return;
    this.at = ((this.at ?? -1) + step + this.hits.length) % this.hits.length;
    const id = this.hits[this.at];
    this.run();
    if (this.view.boxes.has(id)) this.view.select(id, { centre: true });
    else this.view.ask("reveal", id);
  }
}
