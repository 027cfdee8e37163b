// A row of pictures to choose one from: real buttons, so that Tab, the arrow keys and a screen reader reach them.
// data: {label, chosen, pictures: [{name, title, src, small}]}; a click reports the name as the trigger "picked".

export default function ({ data, parentElement, setTriggerValue }) {
  let strip = parentElement.querySelector(".strip");
  if (!strip) {
    strip = document.createElement("div");
    strip.className = "strip";
    strip.setAttribute("role", "radiogroup");
    parentElement.appendChild(strip);
  }
  strip.setAttribute("aria-label", data.label);
  const known = new Map([...strip.children].map((button) => [button.dataset.name, button]));
  const wanted = data.pictures.map((picture) => {
    const button = known.get(picture.name) ?? make(picture.name);
    const chosen = picture.name === data.chosen;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen || (!data.chosen && picture === data.pictures[0]) ? 0 : -1;
    button.onclick = () => setTriggerValue("picked", picture.name);
    fill(button, picture);
    return button;
  });
  if (wanted.length !== strip.children.length || wanted.some((button, i) => button !== strip.children[i])) strip.replaceChildren(...wanted);
  strip.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...strip.children];
    const next = all[(all.indexOf(strip.getRootNode().activeElement) + step + all.length) % all.length];
    next.focus();
  };
}

function make(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "radio");
  button.dataset.name = name;
  const image = document.createElement("img");
  image.alt = "";   // the title under it says what it shows
  button.append(image, document.createElement("span"));
  return button;
}

function fill(button, picture) {   // a name may stand for another picture after the next upload
  const [image, title] = button.children;
  button.title = title.textContent = picture.title;
  image.classList.toggle("small", picture.small);
  if (image.src !== picture.src) image.src = picture.src;
}
