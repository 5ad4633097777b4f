// A picture from the clipboard: Ctrl+V anywhere on the page, or the button.
//
// The last picture that the server took, in whichever way it came, is remembered here as long as the page is
// open: a server that is started anew under it has lost its uploads, and gets the picture once more. Streamlit
// runs nothing when the connection is back, so the page is asked for then.

const memory = (window.explorerPicture ??= { offered: null, file: null });

function remember(file) {
  memory.offered = file;
}

if (!memory.listens) {
  memory.listens = true;
  const note = (files, target) => {
    if (files?.length && target?.closest?.('[data-testid="stFileUploader"]')) remember(files[0]);
  };
  document.addEventListener("change", (event) => note(event.target.files, event.target), true);
  document.addEventListener("drop", (event) => note(event.dataTransfer?.files, event.target), true);
  const state = "data-test-connection-state";
  new MutationObserver(([change]) => {
    if (change.target.getAttribute(state) !== "CONNECTED") memory.lost = true;
    else if (memory.lost) {
      memory.lost = false;
      if (memory.file) memory.ask?.();
    }
  }).observe(document.documentElement, { subtree: true, attributeFilter: [state] });
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".paste");
  const button = root.querySelector("button");

  const refuse = (sentence) => setTriggerValue("refused", sentence);

  function read(file, then) {
    const reader = new FileReader();
    reader.onload = () => then(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.readAsDataURL(file);
  }

  function send(file) {
    if (file.size > data.maxBytes) return refuse(data.tooLarge);
    remember(file);
    read(file, (picture) => setTriggerValue("picture", picture));
  }

  if (data.refused) memory.offered = null;
  if (data.known === "own") {
    memory.file = memory.offered ?? memory.file;
    memory.offered = null;
  } else if (data.known === "none" && memory.file) {
    const file = (memory.offered = memory.file);
    memory.file = null; // once: what the server refuses now is not sent for ever
    read(file, (picture) => setTriggerValue("again", { name: file.name, picture }));
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

  memory.ask = () => setTriggerValue("connected", true);
  button.onclick = fromButton;
  document.removeEventListener("paste", root.fromKeys);
  root.fromKeys = fromKeys;
  document.addEventListener("paste", fromKeys);
  return () => {
    document.removeEventListener("paste", root.fromKeys);
    memory.ask = null;
  };
}
