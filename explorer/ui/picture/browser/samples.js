// Sample pictures as buttons, each with its licence.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".samples");
  root.replaceChildren(
    ...data.samples.map(({ name, title, licence, thumbnail }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.sample = name;
      button.setAttribute("aria-pressed", String(name === data.chosen));
      const image = document.createElement("img");
      image.src = thumbnail;
      image.alt = "";
      const text = document.createElement("div");
      text.className = "text";
      text.textContent = title;
      const small = document.createElement("span");
      small.textContent = licence;
      text.append(small);
      button.append(image, text);
      button.onclick = () => setTriggerValue("sample", name);
      return button;
    }),
  );
}
