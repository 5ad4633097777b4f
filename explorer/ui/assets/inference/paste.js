// A picture from the clipboard: Ctrl+V anywhere on the page, or the button.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".paste");
  const button = root.querySelector("button");

  const refuse = (sentence) => setTriggerValue("refused", sentence);

  function send(file) {
    if (file.size > data.maxBytes) return refuse(data.tooLarge);
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("picture", reader.result.slice(reader.result.indexOf(",") + 1));
    reader.readAsDataURL(file);
  }

  async function fromButton() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((each) => each.startsWith("image/"));
        if (type) return send(await item.getType(type));
      }
      refuse(data.nothing);
    } catch {
      refuse(data.blocked); // the browser keeps the clipboard to itself without a permission or over plain http
    }
  }

  function fromKeys(event) {
    const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
    if (!file) return; // text pasted into a field is none of our business
    event.preventDefault();
    send(file);
  }

  button.onclick = fromButton;
  document.removeEventListener("paste", root.fromKeys);
  root.fromKeys = fromKeys;
  document.addEventListener("paste", fromKeys);
  return () => document.removeEventListener("paste", root.fromKeys);
}
