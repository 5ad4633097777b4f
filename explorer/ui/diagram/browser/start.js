const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".network");
  for (const [name, value] of Object.entries(component.data.colours)) root.style.setProperty(`--${name}`, value);
  if (!views.has(root)) views.set(root, new View(root));
  views.get(root).update(component);
}
