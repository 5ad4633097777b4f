// A file for the visitor; the picture is painted at twice its size for slides and projectors.
async function save({ kind, name, svg }) {
  const text = new Blob([svg], { type: "image/svg+xml" });
  if (kind === "svg") { hand(text, `${name}.svg`); return; }
  const image = new Image();
  const address = URL.createObjectURL(text);
  image.src = address;
  await image.decode();
  URL.revokeObjectURL(address);
  const scale = Math.min(2, 16000 / Math.max(image.width, image.height));
  const sheet = Object.assign(document.createElement("canvas"), { width: image.width * scale, height: image.height * scale });
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  sheet.toBlob((blob) => hand(blob, `${name}.png`), "image/png");
}

function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
