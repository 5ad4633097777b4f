// The likeliest classes as bars; a click asks why the network thinks of that class.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".answer");
  const span = (className, text, parent) => {
    const element = document.createElement("span");
    element.className = className;
    element.textContent = text;
    parent.append(element);
    return element;
  };
  root.replaceChildren(
    ...data.rows.map(({ label, index, percent, share }) => {
      const row = document.createElement("button");
      row.type = "button";
      row.dataset.index = index;
      row.setAttribute("aria-pressed", String(index === data.target));
      row.title = `Explain ${label}`;
      span("fill", "", row).style.width = `${100 * share}%`;
      const name = span("label", label, row);
      if (index === data.target) span("eye", "explained", name);
      span("percent", percent, row);
      row.onclick = () => setTriggerValue("target", index);
      return row;
    }),
  );
  // The picture arrives at the end of its way through the network.
  const arrive = ({ detail }) => {
    for (const fill of root.querySelectorAll(".fill")) {
      fill.animate([{ width: 0 }, { width: 0, offset: 0.85 }, {}], { duration: 1.2 * detail });
    }
  };
  document.addEventListener("explorer:passage", arrive);
  return () => document.removeEventListener("explorer:passage", arrive);
}
