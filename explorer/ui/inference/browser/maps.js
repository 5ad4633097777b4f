// Feature maps, strongest channels first. Pointing at one lays it over the picture, a click keeps it there:
// the picture listens for "explorer:channel", so no visit to the server is needed. A click also opens the number
// it fell on, for which the board below listens to "explorer:cell".

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".maps");
  const $ = (selector) => root.querySelector(selector);
  const announce = (detail) => document.dispatchEvent(new CustomEvent("explorer:channel", { detail }));
  const tell = (tile) => announce(tile?.channel ?? null);
  let kept = null;

  $(".title").textContent = data.title;
  $(".low").textContent = data.low;
  $(".high").textContent = data.high;
  $(".count").textContent = data.count;
  const bar = $(".legend canvas");
  bar.width = data.lut.length;
  bar.height = 1;
  data.lut.forEach((rgb, x) => {
    const context = bar.getContext("2d");
    context.fillStyle = `rgb(${rgb})`;
    context.fillRect(x, 0, 1, 1);
  });
  const [previous, next] = root.querySelectorAll(".pager button");
  previous.disabled = data.page <= 0;
  next.disabled = data.page >= data.pages - 1;
  const sort = $(".sort .switch");
  sort.replaceChildren(
    ...Object.entries(data.measures).map(([name, meaning]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = meaning;
      button.setAttribute("aria-pressed", String(name === data.measure));
      button.onclick = () => setTriggerValue("measure", name);
      return button;
    }),
  );
  previous.onclick = () => setTriggerValue("page", data.page - 1);
  next.onclick = () => setTriggerValue("page", data.page + 1);

  // Which cell was meant, in shares of the map; of a press by key, whose place is none, the strongest is left.
  function open(channel, tile, { clientX, clientY, detail: presses }) {
    if (!presses) return;
    const { left, top, width, height } = tile.querySelector("canvas").getBoundingClientRect();
    const scale = Math.min(width / data.size[0], height / data.size[1]); // the map is fitted into its tile
    const share = (offset, side, length) => Math.min(0.9999, Math.max(0, (offset - (side - length) / 2) / length));
    const x = share(clientX - left, width, scale * data.size[0]);
    const y = share(clientY - top, height, scale * data.size[1]);
    document.dispatchEvent(new CustomEvent("explorer:cell", { detail: { layer: data.layer, channel, x, y } }));
  }

  async function paint() {
    const request = (root.request = Symbol("paint"));
    const atlas = await createImageBitmap(await (await fetch(data.atlas)).blob());
    if (root.request !== request) return;
    const [width, height] = data.size;
    const across = atlas.width / width;
    const tiles = data.channels.map((number, place) => {
      const tile = document.createElement("button");
      tile.type = "button";
      tile.className = "tile";
      tile.dataset.channel = number;
      tile.setAttribute("aria-pressed", "false");
      tile.setAttribute("aria-label", `Channel ${number} over the picture`);
      tile.title = `Channel ${number}: ${data.measures[data.measure]} ${data.strengths[place]}; a press opens the number there`;
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(atlas, (place % across) * width, Math.floor(place / across) * height, width, height, 0, 0, width, height);
      tile.channel = {
        pixels: context.getImageData(0, 0, width, height),
        lut: data.lut, low: data.low, high: data.high,
        says: `Channel ${number} of ${data.layer}`,
      };
      const name = document.createElement("span");
      name.textContent = number;
      tile.append(canvas, name);
      tile.onpointerenter = tile.onfocus = () => tell(tile);
      tile.onpointerleave = tile.onblur = () => tell(kept);
      tile.onclick = (event) => {
        open(number, tile, event);
        kept = kept === tile ? null : tile;
        for (const other of tiles) other.setAttribute("aria-pressed", String(other === kept));
        tell(kept);
      };
      return tile;
    });
    $(".grid").replaceChildren(...tiles);
  }
  paint();
  return () => announce(null);
}
