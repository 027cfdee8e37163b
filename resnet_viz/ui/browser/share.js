// Copies the page's address. data: {host}, what localhost is called by other machines, or null where none can reach it.
// Then it offers to add the view to the lecture plan: `add` goes to the server with the address.

const HERE = ["localhost", "127.0.0.1", "[::1]"];
const SHOWN_MS = 12000;

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".share");
  if (!root) {
    root = document.createElement("div");
    root.className = "share";
    root.innerHTML = `<button type="button"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M10 14a4 4 0 0 0 5.7 0l3.6-3.6a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.6 3.6a4 4 0 0 0 5.7 5.7L12 17.7"/></svg>Copy link</button>
      <div class="said" role="status" hidden></div>`;
    parentElement.appendChild(root);
  }
  const [button, said] = root.children;
  said.onfocus = said.onmouseenter = () => clearTimeout(root.timer);      // who reads it or goes for the button has time
  button.title = "Copy the address of this page with everything that is chosen on it";
  button.onclick = async () => {
    const { link, note } = address(data.host);
    const copied = await copy(link, root);
    said.replaceChildren(copied ? `Copied. ${note}` : "Your browser forbids copying; take it from here: ");
    if (!copied) said.append(field(link));
    const add = element("button", { type: "button", class: "add" }, said, "Add to the lecture plan");
    add.onclick = () => {
      setTriggerValue("add", window.location.pathname + window.location.search);
      said.hidden = true;
    };
    said.classList.toggle("rightwards", button.getBoundingClientRect().left < window.innerWidth / 2);   // to where there is room
    said.hidden = false;
    clearTimeout(root.timer);
    if (copied) root.timer = setTimeout(() => { said.hidden = true; }, SHOWN_MS);
  };
  return () => clearTimeout(root.timer);
}

function address(host) {
  const link = new URL(window.location.href);
  if (!HERE.includes(link.hostname)) return { link: link.href, note: "Whoever opens it sees what you see." };
  if (!host) return { link: link.href, note: "Only this machine can open it: the server was started for localhost." };
  link.hostname = host;
  return { link: link.href, note: `Other machines in this network can open it, as ${host}.` };
}

async function copy(text, root) {
  try {
    await navigator.clipboard.writeText(text);   // only on https and localhost
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.cssText = "position:fixed;opacity:0";
    root.append(area);
    area.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { done = false; }
    area.remove();
    return done;
  }
}

function field(link) {
  const input = document.createElement("input");
  input.readOnly = true;
  input.value = link;
  input.setAttribute("aria-label", "Link of this page");
  input.onfocus = () => input.select();
  return input;
}
