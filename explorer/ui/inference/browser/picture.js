// The picture and what is laid over it: the heatmap, or the feature map that the visitor points at, or the part
// that one of its cells sees.
// Texts enter as textContent: labels and layer names come from strangers.

const pixelsOf = async (url) => {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
};

function coloured(grey, colours) {
  const image = new ImageData(grey.width, grey.height);
  for (let i = 0; i < grey.data.length; i += 4) {
    image.data.set(colours[grey.data[i]], i);
    image.data[i + 3] = 255;
  }
  return image;
}

function paintBar(canvas, colours) {
  canvas.width = colours.length;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  colours.forEach((rgb, x) => {
    context.fillStyle = `rgb(${rgb})`;
    context.fillRect(x, 0, 1, 1);
  });
}

// While the picture goes through the network, the heatmap waits; the answer brings it.
const atTheEnd = (element, duration) =>
  element.animate([{ opacity: 0 }, { opacity: 0, offset: 0.85 }, { opacity: element.style.opacity || 1 }], { duration });

const percent = (fraction) => `${100 * fraction}%`;

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".picture");
  const $ = (selector) => root.querySelector(selector);
  const state = (root.state ??= { mode: "heatmap" });
  state.channel = null; // a new answer has new channels
  state.data = data;

  function place() {
    const { modes, box, peak, heat, opacity } = state.data;
    const whole = state.mode === "whole";
    const url = { heatmap: state.data.display, view: state.data.view, whole: state.data.whole }[state.mode];
    const [left, top, right, bottom] = whole ? box : [0, 0, 1, 1];
    const frame = $(".frame");
    frame.style.setProperty("--ratio", whole ? state.data.wholeRatio : state.data.viewRatio);
    const image = $("img");
    if (image.src !== url) image.src = url;
    image.alt = state.data.alt;
    image.classList.toggle("pixels", state.data.tiny && state.mode === "view");

    const over = $(".heat");
    Object.assign(over.style, {
      left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top),
      opacity: state.mode === "view" || state.pointed ? 0 : opacity,
    });
    over.classList.toggle("pixels", Boolean(state.channel));
    over.hidden = !heat && !state.channel;

    const crop = $(".crop");
    crop.hidden = !whole;
    Object.assign(crop.style, {
      left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top),
    });
    // Of the cell that is pointed at, else of the number that is opened below, in shares of the network's view.
    const field = state.pointed?.box ?? state.field;
    $(".field").hidden = !field;
    $(".field").classList.toggle("pointed", Boolean(state.pointed));
    if (field) {
      const [x0, y0, x1, y1] = field.map((each) => Math.min(1, Math.max(0, each)));
      Object.assign($(".field").style, {
        left: percent(left + x0 * (right - left)), top: percent(top + y0 * (bottom - top)),
        width: percent((x1 - x0) * (right - left)), height: percent((y1 - y0) * (bottom - top)),
      });
    }
    const mark = $(".peak");
    mark.hidden = !peak || state.mode === "view" || Boolean(state.channel ?? state.pointed);
    if (peak) {
      const [x, y] = whole ? peak : [(peak[0] - box[0]) / (box[2] - box[0]), (peak[1] - box[1]) / (box[3] - box[1])];
      mark.style.left = percent(x);
      mark.style.top = percent(y);
    }
    $(".switch").style.visibility = modes ? "visible" : "hidden";
    for (const button of root.querySelectorAll(".switch button")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
    }
  }

  function say() {
    $(".credit").textContent = state.data.credit;
    const { channel } = state;
    const { says, lut, heat } = state.data;
    $(".legend").style.visibility = heat || channel ? "visible" : "hidden";
    $(".low").textContent = channel ? channel.low : "none";
    $(".high").textContent = channel ? channel.high : "most";
    $(".says .what").textContent = (state.pointed ?? channel)?.says ?? says;
    $(".says .what").title = $(".says .what").textContent;
    $(".says .value").hidden = !heat || Boolean(channel);
    paintBar($(".legend canvas"), channel ? channel.lut : lut);
    $(".legend .mark").hidden = true;
  }

  async function draw() {
    const { heat, lut } = state.data;
    if (heat && state.heat !== heat) {
      state.grey = await pixelsOf(heat);
      if (state.data.heat !== heat) return; // a newer answer came while this one was decoded
      state.heat = heat;
    }
    const source = state.channel ? state.channel.pixels : heat && coloured(state.grey, lut);
    if (!source) return;
    const canvas = $(".heat");
    canvas.width = source.width;
    canvas.height = source.height;
    canvas.getContext("2d").putImageData(source, 0, 0);
  }

  const show = async () => {
    await draw();
    place();
    say();
  };

  $(".switch").onclick = (event) => {
    const { mode } = event.target.dataset;
    if (!mode) return;
    state.mode = mode;
    place();
  };
  // Where on the part that the network was given, from 0 to 1 inside of it.
  const onView = ({ clientX, clientY }) => {
    const { left, top, width, height } = $(".heat").getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  };
  $(".frame").onpointermove = (event) => {
    if (!state.grey || !state.data.heat || state.channel) return;
    const [across, down] = onView(event);
    const x = Math.floor(across * state.grey.width);
    const y = Math.floor(down * state.grey.height);
    const inside = x >= 0 && y >= 0 && x < state.grey.width && y < state.grey.height;
    const value = inside ? state.grey.data[4 * (y * state.grey.width + x)] / 255 : 0;
    $(".legend .mark").hidden = !inside;
    $(".legend .mark").style.left = percent(value);
    $(".says .value").lastChild.textContent = inside ? ` ${value.toFixed(2)} here` : " peak";
    $(".says .key").hidden = inside;
  };
  $(".frame").onclick = (event) => {
    const [x, y] = onView(event);
    if (x >= 0 && y >= 0 && x < 1 && y < 1) document.dispatchEvent(new CustomEvent("explorer:place", { detail: { x, y } }));
  };
  $(".frame").onpointerleave = () => {
    $(".legend .mark").hidden = true;
    $(".says .value").lastChild.textContent = " peak";
    $(".says .key").hidden = false;
  };

  if (state.notice !== data.notice) {
    state.notice = data.notice;
    $(".notice").hidden = !data.notice;
    $(".notice span").textContent = data.notice;
  }
  $(".notice button").onclick = () => ($(".notice").hidden = true);

  document.removeEventListener("explorer:channel", root.onChannel);
  root.onChannel = (event) => {
    state.channel = event.detail;
    if (state.channel && state.mode === "view") state.mode = "heatmap";
    show();
  };
  document.addEventListener("explorer:channel", root.onChannel);
  document.removeEventListener("explorer:field", root.onField);
  root.onField = (event) => {
    state.field = event.detail;
    place();
  };
  document.addEventListener("explorer:field", root.onField);
  document.removeEventListener("explorer:pointed", root.onPointed);
  root.onPointed = (event) => {
    if (!state.pointed && !event.detail) return;
    state.pointed = event.detail;
    place();
    say();
  };
  document.addEventListener("explorer:pointed", root.onPointed);
  document.removeEventListener("explorer:passage", root.onPassage);
  root.onPassage = ({ detail }) => [$(".heat"), $(".peak")].forEach((element) => atTheEnd(element, detail));
  document.addEventListener("explorer:passage", root.onPassage);
  show();
  return () => {
    document.removeEventListener("explorer:channel", root.onChannel);
    document.removeEventListener("explorer:field", root.onField);
    document.removeEventListener("explorer:pointed", root.onPointed);
    document.removeEventListener("explorer:passage", root.onPassage);
  };
}
