// The cards are made in Python; here they only find their place, where the page's styles do not reach them.
export default function ({ parentElement, data }) {
  const place = parentElement.querySelector(".gallery");
  place.style.cssText = data.colours;
  if (place.shown !== data.html) {
    place.innerHTML = data.html;
    place.shown = data.html;
  }
}
