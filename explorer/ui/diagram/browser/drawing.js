// What the files of this folder share. They are read one after the other, as one script.

const SVG = "http://www.w3.org/2000/svg";
const FARTHEST = 0.4; // of the readable scale, when something large has to come into the window
const LARGEST = 1.6; // a small network is not blown up beyond this
const CLOSEST = 6;
const FAR = 0.34; // below it text is left out while zooming: nobody can read it, and it costs most
const MARGIN = 18;
const DRAG = 4; // pixels of the pointer that make a click a drag

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function element(tag, parent, { text, ...attributes } = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}
