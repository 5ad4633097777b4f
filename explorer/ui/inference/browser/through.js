// The picture's way through the network: a column of maps for each stage, what feeds what drawn between them.
// Pointing, growing, stepping and colours need no visit to the server; to open a stage does, and what feeds a
// channel. The picture beside it listens for "explorer:pointed", "explorer:channel" and "explorer:passage".
// Texts enter as textContent: names of layers come from strangers.

const SVG = "http://www.w3.org/2000/svg";
const ROWS = { least: 5, most: 8 };
const GROWN = 3; // tiles along the side of a grown map
const REST_MS = 350; // a key rests so long before the server is asked what feeds the channel
const PLAY_MS = 1500; // from the picture to the answer
const SETTLED_MS = 500; // so long after this part the rest of the same message has come

const make = (tag, className, parent, text = "") => {
  const element = document.createElement(tag);
  if (tag === "button") element.type = "button";
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
};
const number = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
const announce = (name, detail) => document.dispatchEvent(new CustomEvent(`explorer:${name}`, { detail }));
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

async function greysOf(url, count) {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const width = bitmap.width / count;
  return Array.from({ length: count }, (_, place) => context.getImageData(place * width, 0, width, bitmap.height));
}

function coloured(grey, [low, high], [from, to], lut) {
  const image = new ImageData(grey.width, grey.height);
  for (let i = 0; i < grey.data.length; i += 4) {
    const value = low + (grey.data[i] / 255) * (high - low);
    const level = Math.round((255 * (value - from)) / (to - from));
    image.data.set(lut[Math.max(0, Math.min(255, level))], i);
    image.data[i + 3] = 255;
  }
  return image;
}

class Passage {
  constructor(root) {
    this.root = root;
    this.$ = (selector) => root.querySelector(selector);
    this.board = this.$(".board");
    this.scale = "column";
    this.current = null; // { at, channel, maps, place }: what has grown
    this.greys = new Map(); // by the atlas
    this.$(".switch").onclick = ({ target }) => {
      if (!target.dataset.scale) return;
      this.scale = target.dataset.scale;
      this.paint();
    };
    this.$(".play").onclick = () => this.play();
    this.$(".layer").onclick = () => this.trigger("layer", this.data.columns[this.current.at].path);
    this.board.onkeydown = (event) => this.key(event);
    this.board.onpointerleave = () => this.point(null);
  }

  // ---- what is shown

  async show(data, trigger) {
    const request = (this.request = Symbol("show"));
    const all = [...data.columns.map(({ maps }) => maps), ...Object.values(data.inputs?.maps ?? {})].filter(Boolean);
    const greys = new Map();
    for (const { atlas, channels } of all) greys.set(atlas, this.greys.get(atlas) ?? (await greysOf(atlas, channels.length)));
    if (this.request !== request) return; // a newer message came while this one was decoded
    const before = this.data;
    Object.assign(this, { data, trigger, greys });
    const opening = JSON.stringify(before?.columns) !== JSON.stringify(data.columns);
    if (opening || before.id !== data.id) {
      this.current = null;
      this.build();
    }
    this.lay();
    if (opening) this.$('[aria-expanded="true"]')?.scrollIntoView({ block: "nearest", inline: "center" });
    this.tell();
    this.overlay();
    if (this.opening && before?.number !== data.number) {
      this.opening = false;
      setTimeout(() => this.see(), SETTLED_MS);
    }
    const played = (window.explorerPlayed ??= new Set());
    if (!played.has(data.id)) {
      played.add(data.id);
      this.play();
    }
  }

  build() {
    const { columns, stages } = this.data;
    this.board.replaceChildren();
    this.svg = this.board.appendChild(document.createElementNS(SVG, "svg"));
    this.svg.setAttribute("aria-hidden", "true");
    let at = 0;
    for (const stage of stages) {
      const opens = stage.opens !== null;
      const head = make(opens ? "button" : "span", "stage-name", this.board);
      const [word, ...rest] = stage.title.split(" ");
      make("span", rest.length ? "word" : "", head, rest.length ? `${word} ` : word);
      make("span", "", head, rest.join(" "));
      head.style.gridColumn = `${at + 1} / span ${stage.columns}`;
      at += stage.columns;
      if (!opens) continue;
      head.setAttribute("aria-label", stage.title);
      head.setAttribute("aria-expanded", String(stage.open));
      head.title = `${stage.opens ? "Open" : "Close"} ${stage.title}: ${stage.made}`;
      head.onclick = () => this.trigger("opened", stage.opens);
    }
    this.board.classList.toggle("closed", !columns.some((column) => column.opens));
    this.columns = columns.map((column, place) => this.column(column, place));
    const axis = make("div", "axis", this.board);
    make("span", "whole", axis, "\u00a0");
    for (const [text, className] of [["maps", "short"], ["cells", "short"], ["", "rest"], ["sees", ""], ["MACs", ""]]) make("span", className, axis, text);
  }

  column(column, at) {
    const element = make("div", "column", this.board);
    element.style.gridColumn = at + 1;
    const name = make(column.opens ? "button" : "span", column.whole ? "name whole" : "name", element, column.name);
    name.title = column.opens ? `Open ${column.path}` : `${column.name}: output of ${column.path}`;
    if (column.opens) name.onclick = () => this.trigger("opened", column.opens);
    const [, height, width] = column.shape;
    make("span", "word", make("span", "shape", element, column.channels), " maps");
    const grid = make("span", "shape", element);
    make("span", "word", grid, `${height} × ${width}`);
    make("span", "short", grid, height === width ? `${height}²` : `${height}×${width}`);
    grid.title = `${height} × ${width} cells`;
    const tiles = make("div", "tiles", element);
    tiles.style.setProperty("--ratio", width / height);
    tiles.onpointermove = (event) => this.point(event, at);
    const { field } = column;
    const sees = make("span", "sees", element, field ? `${number(Math.max(...field.size))} px` : "–");
    sees.title = field
      ? `One cell sees ${field.size.map(number).join(" × ")} pixels of the picture${field.beyond ? `, ${field.beyond}` : ""}`
      : "What one cell sees cannot be told";
    const macs = make("span", "macs", element);
    make("i", "", macs).style.width = `${100 * column.macs}%`;
    make("b", "", macs, column.macsSaid);
    macs.title = `${column.macsSaid} of the network’s multiply-adds`;
    return { element, tiles };
  }

  // The column of inputs of what has grown, in the place of its own strongest channels.
  fed(at) {
    const { inputs } = this.data;
    return this.answered() ? inputs.maps?.[at] : undefined;
  }

  answered() {
    const { inputs } = this.data;
    return inputs && this.current && inputs.at === this.current.at && inputs.channel === this.current.channel;
  }

  // ---- where it stands

  lay() {
    const strip = this.$(".strip");
    const rem = (this.rem = parseFloat(getComputedStyle(document.documentElement).fontSize));
    const count = this.data.columns.length;
    const [between, gap, left, right] = [1.1 * rem, 0.25 * rem, 2.6 * rem, 1.5 * rem];
    const high = Math.max(14 * rem, Math.min(32 * rem, window.innerHeight - 27 * rem));
    const wide = strip.clientWidth - left - right;
    const tile = Math.floor(Math.max(2 * rem, Math.min((wide - count * between) / (count + GROWN - 1), high / 6 - gap)));
    this.rows = Math.max(ROWS.least, Math.min(ROWS.most, Math.floor((high + gap) / (tile + gap))));
    const grown = GROWN * tile + (GROWN - 1) * gap;
    const tracks = this.data.columns.map((_, at) => `minmax(${(at === this.current?.at ? grown : tile) + between}px, 1fr)`);
    const { style } = this.board;
    const least = count * (tile + between) + (this.current ? grown - tile : 0) + left + right;
    style.width = `${Math.max(strip.clientWidth, least)}px`;
    style.gridTemplateColumns = tracks.join(" ");
    const pitch = (parseFloat(style.width) - left - right - (this.current ? grown - tile : 0)) / count;
    this.board.classList.toggle("narrow", pitch < 3.65 * rem); // no room for "Stage 1"
    this.board.classList.toggle("tight", pitch < 5.5 * rem); // nor for the name of a block
    style.paddingInline = `${left}px ${right}px`;
    for (const [name, value] of Object.entries({ tile, gap, grown })) style.setProperty(`--${name}`, `${value}px`);
    style.setProperty("--rows", this.rows);
    this.data.columns.forEach((_, at) => this.fill(at));
    this.paint();
    this.connect();
  }

  fill(at) {
    const column = this.data.columns[at];
    const { element, tiles } = this.columns[at];
    const maps = this.fed(at) ?? column.maps;
    const grown = this.current?.at === at ? this.current : null;
    element.classList.toggle("opened", Boolean(grown));
    element.classList.toggle("feeding", Boolean(this.fed(at)));
    const focused = this.root.getRootNode().activeElement;
    const held = tiles.contains(focused) ? focused.dataset.channel : null;
    tiles.replaceChildren();
    if (grown) {
      const large = make("div", "large", tiles);
      large.source = { at, maps: grown.maps, place: grown.place };
      make("canvas", "", large);
      make("i", "cell", large).hidden = true;
      large.title = "Open this number, below";
      large.onclick = () => this.open();
    }
    const most = grown ? GROWN * (this.rows - GROWN) : this.rows;
    maps?.channels.slice(0, most).forEach((channel, place) => {
      const tile = make("button", "map", tiles);
      tile.dataset.channel = channel;
      tile.source = { at, maps, place };
      const pressed = grown?.channel === channel;
      tile.setAttribute("aria-pressed", String(pressed));
      tile.setAttribute("aria-label", `Channel ${channel} of ${column.of}`);
      tile.tabIndex = pressed || (!this.current && at === 0 && place === 0) ? 0 : -1;
      make("canvas", "", tile);
      tile.onclick = () => (pressed ? this.close() : this.grow(tile.source, 0));
      tile.onfocus = () => this.point(null, at, tile);
      if (held === String(channel)) tile.focus({ preventScroll: true });
    });
  }

  range(maps) {
    if (this.scale === "column") return [[maps.low, maps.high], this.data.luts[maps.low < 0 ? 1 : 0]];
    const all = this.data.columns.map((column) => column.maps).filter(Boolean);
    const high = Math.max(...all.map((each) => each.high));
    const signed = all.some((each) => each.low < 0);
    return [[signed ? -high : 0, high], this.data.luts[signed ? 1 : 0]];
  }

  paint() {
    for (const button of this.root.querySelectorAll(".switch button")) {
      button.setAttribute("aria-pressed", String(button.dataset.scale === this.scale));
    }
    for (const element of this.board.querySelectorAll(".map, .large")) {
      const { maps, place } = element.source;
      const grey = this.greys.get(maps.atlas)?.[place] ?? element.grey;
      if (!grey) continue;
      const [range, lut] = this.range(maps);
      const canvas = element.querySelector("canvas");
      canvas.width = grey.width;
      canvas.height = grey.height;
      canvas.getContext("2d").putImageData(coloured(grey, [maps.low, maps.high], range, lut), 0, 0);
    }
  }

  // ---- what flows where

  line(d, className, style = {}) {
    const path = this.svg.appendChild(document.createElementNS(SVG, "path"));
    path.setAttribute("d", d);
    path.setAttribute("class", className);
    path.setAttribute("pathLength", 1);
    Object.assign(path.style, style);
    return path;
  }

  connect() {
    this.svg.replaceChildren();
    const origin = this.board.getBoundingClientRect();
    this.svg.setAttribute("viewBox", `0 0 ${this.board.scrollWidth} ${this.board.scrollHeight}`);
    this.svg.style.width = `${this.board.scrollWidth}px`;
    const box = (element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return { left: left - origin.left, right: right - origin.left, y: (top + bottom) / 2 - origin.top, bottom: bottom - origin.top };
    };
    const places = this.columns.map(({ tiles }) => ({ ...box(tiles), tiles: [...tiles.querySelectorAll(".map, .large")].map(box) }));
    if (!places.length) return;
    const middle = Math.max(...places.map(({ y }) => y));
    const lane = Math.max(...places.map(({ bottom }) => bottom)) + 5;
    const curve = (x, y, X, Y) => `M${x},${y}C${(x + X) / 2},${y} ${(x + X) / 2},${Y} ${X},${Y}`;
    const ends = (at, side) => {
      // Of a column that has grown, the edge towards the line stands for all of it.
      const { tiles } = places[at];
      return this.columns[at].element.classList.contains("opened") ? [{ ...places[at], y: middle }] : tiles.map((tile) => ({ ...tile, [side]: places[at][side] }));
    };
    this.data.columns.forEach((column, at) => {
      const target = places[at];
      const before = at ? places[at - 1].right : 0;
      const hub = (before + target.left) / 2;
      for (const source of column.sources) {
        const [className, style] = ["flow", { "--at": at }];
        if (source === this.data.picture && at === 0) this.line(`M0,${middle}H${hub}`, className, style).dataset.at = at;
        else if (source === at - 1) for (const tile of ends(source, "right")) this.line(curve(tile.right, tile.y, hub, middle), className).dataset.at = at;
        else {
          const start = source === this.data.picture ? 0 : places[source].right;
          this.line(`M${start},${middle}C${start + 14},${middle} ${start},${lane} ${start + 18},${lane}H${hub - 18}C${hub},${lane} ${hub - 14},${middle} ${hub},${middle}`, className).dataset.at = at;
        }
      }
      for (const tile of ends(at, "left")) this.line(curve(hub, middle, tile.left, tile.y), "flow").dataset.at = at;
    });
    this.out(places);
    this.light(places, curve);
  }

  // To the answer: as wide as what each channel gives to the class, where that is known.
  out(places) {
    const at = places.length - 1;
    const { given, label } = this.data.answer;
    const known = given && !this.fed(at) && this.current?.at !== at;
    const most = known ? Math.max(...given.map(Math.abs)) : 0;
    const end = this.board.scrollWidth;
    const bar = 0.95 * this.rem; // the middle of the first bar beside it
    places[at].tiles.forEach((tile, place) => {
      const share = most ? given[place] / most : 0;
      const path = this.line(`M${tile.right},${tile.y}C${end},${tile.y} ${tile.right},${bar} ${end},${bar}`, `flow out ${share < 0 ? "against" : share > 0 ? "for" : ""}`, { strokeWidth: 0.75 + 2 * Math.abs(share) });
      path.dataset.at = at + 1;
    });
    const against = most && given.some((value) => value < 0) ? ", orange against it" : "";
    this.answerSays = most ? `Lines to the answer: what these channels give to ${label}${against}.` : "";
  }

  // What feeds the map that has grown.
  light(places, curve) {
    this.board.classList.toggle("lit", Boolean(this.answered() && !this.data.inputs.error));
    if (!this.answered() || this.data.inputs.error) return;
    const { at } = this.current;
    const [target] = places[at].tiles;
    const feeding = Object.entries(this.data.inputs.maps);
    const most = Math.max(...feeding.flatMap(([, maps]) => maps.values.map(Math.abs)), 1e-30);
    for (const [source, maps] of feeding) {
      places[source].tiles.forEach((tile, place) => {
        const share = maps.values[place] / most;
        if (share) this.line(curve(tile.right, tile.y, target.left, target.y), `feeds ${share < 0 ? "against" : "for"}`, { strokeWidth: 0.75 + 5 * Math.abs(share) });
      });
    }
  }

  // ---- what is chosen

  grow({ at, maps, place }, rest) {
    const from = this.board.querySelectorAll(".column")[at].querySelectorAll(".map")[place]?.getBoundingClientRect();
    this.current = { at, channel: maps.channels[place], maps, place };
    this.lay();
    const large = this.columns[at].tiles.querySelector(".large");
    large.grey = this.greys.get(maps.atlas)[place]; // what feeds another may leave with the next message
    if (from && !still()) {
      const to = large.getBoundingClientRect();
      const start = `translate(${from.left - to.left}px, ${from.top - to.top}px) scale(${from.width / to.width})`;
      large.animate([{ transform: start, transformOrigin: "0 0" }, { transform: "none", transformOrigin: "0 0" }], { duration: 180, easing: "ease-out" });
    }
    this.columns[at].tiles.querySelector('[aria-pressed="true"]')?.focus({ preventScroll: true });
    this.columns[at].element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: still() ? "auto" : "smooth" });
    this.tell();
    this.overlay();
    clearTimeout(this.asking);
    const { path } = this.data.columns[at];
    const { channel } = this.current;
    if (!this.answered()) this.asking = setTimeout(() => this.trigger("asked", [path, channel]), rest);
  }

  // The number that the pointer is on.
  open() {
    if (!this.pointed) return;
    clearTimeout(this.asking);
    const { path } = this.data.columns[this.current.at];
    const cell = [this.current.channel, ...this.pointed];
    if (this.data.number === `${path} ${cell.join(".")}`) {
      this.see();
      return;
    }
    this.opening = true;
    this.trigger("cell", [path, ...cell]);
  }

  see() {
    document.querySelector(".st-key-number_part")?.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
  }

  close() {
    clearTimeout(this.asking);
    this.current = null;
    this.lay();
    this.tell();
    this.overlay();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && this.current) {
      event.preventDefault();
      const { at } = this.current;
      this.close();
      this.columns[at].tiles.querySelector(".map")?.focus({ preventScroll: true });
      return;
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const here = event.target.closest?.(".map")?.source;
    if (!step || !here) return;
    event.preventDefault();
    let at = here.at + step[0];
    while (this.data.columns[at] && !this.data.columns[at].maps) at += step[0];
    const maps = this.data.columns[at]?.maps;
    if (!maps) return;
    const rank = step[0] ? Math.min(here.place, maps.channels.length - 1) : here.place + step[1];
    if (rank >= 0 && rank < Math.min(maps.channels.length, this.rows)) this.grow({ at, maps, place: rank }, REST_MS);
  }

  // ---- what is said

  point(event, at, tile = event?.target.closest?.(".map, .large")) {
    this.board.querySelector(".cell")?.setAttribute("hidden", "");
    if (!tile) {
      announce("pointed", null);
      this.tell();
      return;
    }
    const column = this.data.columns[at];
    const { maps, place } = tile.source;
    const [, height, width] = column.shape;
    const frame = tile.querySelector("canvas").getBoundingClientRect();
    const clamp = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    const row = event ? clamp((event.clientY - frame.top) / frame.height, height) : Math.floor(height / 2);
    const col = event ? clamp((event.clientX - frame.left) / frame.width, width) : Math.floor(width / 2);
    this.pointed = event ? [row, col] : null;
    const grey = this.greys.get(maps.atlas)?.[place] ?? tile.grey;
    const inner = (cell) => Math.floor(cell / maps.step);
    const level = grey ? grey.data[4 * (inner(row) * grey.width + inner(col))] / 255 : 0;
    const value = number(maps.low + level * (maps.high - maps.low));
    const cell = tile.querySelector(".cell");
    if (cell && event) {
      cell.hidden = false;
      Object.assign(cell.style, { left: `${(100 * col) / width}%`, top: `${(100 * row) / height}%`, width: `${100 / width}%`, height: `${100 / height}%` });
    }
    const { field } = column;
    const sees = field ? ` It sees ${field.size.map(number).join(" × ")} pixels${field.beyond ? `, ${field.beyond}` : ""}.` : "";
    if (event) this.say(`Channel ${maps.channels[place]} of ${column.of}, row ${row}, column ${col}: about ${value}; the colours end at ${number(this.range(maps)[0][1])}.${sees}`);
    announce("pointed", field && event ? { box: this.box(field, row, col), says: `What one cell of ${column.of} sees: ${field.size.map(number).join(" × ")} pixels` } : null);
  }

  // [left, top, right, bottom] in fractions of what the network gets; it may stick out.
  box({ size, stride, padding }, row, col) {
    const [height, width] = this.data.view;
    const top = row * stride[0] - padding[0];
    const left = col * stride[1] - padding[1];
    return [left / width, top / height, (left + size[1]) / width, (top + size[0]) / height];
  }

  say(text) {
    this.$(".says").textContent = text;
  }

  tell() {
    const { current, data } = this;
    const button = this.$(".layer");
    button.hidden = !current;
    if (!current) {
      this.say(`Point at a cell: what it sees lies on the picture. A click or the arrow keys show what feeds a map. ${this.answerSays ?? ""}`);
      return;
    }
    const column = data.columns[current.at];
    button.textContent = `All ${column.channels} maps`;
    button.title = `Heatmap and feature maps of ${column.path}`;
    const name = `Channel ${current.channel} of ${column.of}`;
    if (!this.answered()) this.say(`${name}: asking what feeds it …`);
    else if (data.inputs.error) this.say(`${name}: ${data.inputs.error}`);
    else this.say(`${name}, mean ${number(data.inputs.mean)}. ${this.mostly()}`);
    this.$(".says").title = this.answered() ? (data.inputs.measure ?? "") : "";
  }

  mostly() {
    const { maps, given } = this.data.inputs;
    const found = Object.entries(maps).flatMap(([source, each]) =>
      each.channels.map((channel, place) => ({ channel, value: each.values[place], of: this.data.columns[source].of })),
    );
    found.sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
    const signed = (value) => (value < 0 ? number(value) : `+${number(value)}`);
    const [first] = found;
    if (first?.value) return `Most comes from channel ${first.channel} of ${first.of}: ${signed(first.value)}.`;
    return given[this.data.picture] === undefined ? "No gradient leads back to the columns before." : "The picture shows which pixels feed it.";
  }

  // The pixels that feed a map of the first column, over the picture.
  async overlay() {
    const shown = this.answered() ? this.data.inputs.picture : null;
    if (!shown && !this.overlaid) return;
    const request = (this.overlaying = Symbol("overlay"));
    const [grey] = shown ? await greysOf(shown.map, 1) : [];
    if (this.overlaying !== request) return;
    this.overlaid = Boolean(shown);
    const lut = this.data.luts[1];
    const pixels = shown && coloured(grey, [0, 1], [0, 1], lut);
    const says = shown && `What each pixel gives to channel ${this.current.channel}`;
    // The picture is drawn anew by the same message.
    setTimeout(() => announce("channel", shown && { pixels, lut, low: shown.low, high: shown.high, says }), 60);
  }

  // ---- from the picture to the answer, once

  play() {
    if (still()) return;
    const each = PLAY_MS / (this.columns.length + 1);
    announce("passage", PLAY_MS);
    for (const path of this.svg.children) {
      path.animate([{ strokeDasharray: "0 1" }, { strokeDasharray: "1 0" }], { duration: each, delay: path.dataset.at * each, fill: "backwards" });
    }
    this.columns.forEach(({ tiles }, at) => {
      [...tiles.children].forEach((tile, place) => {
        tile.animate(
          [{ opacity: 0, transform: "translateX(-0.75rem) scale(0.8)" }, { opacity: 1, transform: "none" }],
          { duration: 1.2 * each, delay: (at + 0.5) * each + 14 * place, fill: "backwards", easing: "ease-out" },
        );
      });
    });
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".through");
  const passage = (root.passage ??= new Passage(root));
  passage.show(data, setTriggerValue);
  let wide = 0;
  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (passage.columns && Math.abs(contentRect.width - wide) > 1) passage.lay();
    wide = contentRect.width;
  });
  watch.observe(root.querySelector(".strip"));
  return () => {
    watch.disconnect();
    announce("pointed", null);
  };
}
