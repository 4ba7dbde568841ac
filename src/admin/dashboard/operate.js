// What operators do: the token, asked for once a tab, and a word before anything happens.

import { h, setText, setHidden, byId } from "./dom.js";
import { plural } from "./format.js";

const KEY = "weir-token";

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export function toast(text) {
  const element = byId("toast");
  setText(element, text);
  element.hidden = false;
  clearTimeout(element.timer);
  element.timer = setTimeout(() => { element.hidden = true; }, 6000);
}

// Shows a dialog; resolves with true when its button is pressed and `accept` lets it close.
function ask(dialog, accept) {
  return new Promise((resolve) => {
    const go = dialog.querySelector(".go");
    const cancel = dialog.querySelector(".cancel");
    const form = dialog.querySelector("form");
    let done = false;
    const finish = (value) => {
      if (done) return;
      done = true;
      go.onclick = cancel.onclick = dialog.onclose = null;
      if (form) form.onsubmit = null;
      dialog.close();
      resolve(value);
    };
    const accepted = async () => {
      go.disabled = true;
      try {
        if (await accept()) finish(true);
      } finally {
        go.disabled = false;
      }
    };
    if (form) {
      form.onsubmit = (event) => {
        event.preventDefault();
        accepted();
      };
    } else {
      go.onclick = accepted;
    }
    cancel.onclick = () => finish(false);
    // An earlier close may be told only now, when it is open again.
    dialog.onclose = () => {
      if (!dialog.open) finish(false);
    };
    dialog.showModal();
  });
}

export async function askToken(error = "") {
  const dialog = byId("token");
  const input = byId("token-value");
  setText(byId("token-error"), error);
  setHidden(byId("token-error"), !error);
  input.value = "";
  const given = await ask(dialog, () => {
    token.set(input.value.trim());
    return true;
  });
  input.value = "";
  document.dispatchEvent(new Event("weir-token"));
  return given;
}

async function post(verb, options) {
  const response = await fetch(`/api/${verb}?${new URLSearchParams(options)}`, {
    method: "POST", headers: { Authorization: `Bearer ${token.get()}` },
  });
  const answer = await response.json().catch(() => ({ error: `weir answers ${response.status}` }));
  return { refused: response.status === 403, ...answer };
}

// What will happen, in sentences: [text, tone].
function sentences(verb, value, pool, peer) {
  const name = pool.name;
  if (verb === "maintenance" && value === "on") {
    return [[`All clients of ${name} get 503 with Retry-After; its ${plural(pool.peers.length, "peer")} get no request.`, "bad"],
            ["It lasts until somebody ends it, over reloads and restarts."]];
  }
  if (verb === "maintenance") return [[`Requests of ${name} go to its peers again: ${pool.live} of ${pool.peers.length} would serve.`]];
  if (verb === "ready" && !peer) return [[`All peers of ${name} that operators hold are let go, and “only” and “first” end.`]];
  const left = pool.peers.filter((other) => other.serves && other !== peer).length;
  const flying = `${peer.in_flight === 0 ? "Nothing is" : `${peer.in_flight} ${peer.in_flight === 1 ? "is" : "are"}`} in flight there.`;
  const rest = left > 0
    ? [`${plural(left, "other peer")} of ${name} ${left === 1 ? "serves" : "serve"} on.`]
    : [`No other peer of ${name} serves: its clients will get errors.`, "bad"];
  if (verb === "drain") {
    return [[`It gets no new requests, but from clients that sticky binds to it. What is in flight goes on; WebSockets are told to connect elsewhere.`],
            [flying], rest];
  }
  if (verb === "down") {
    return [["It gets no request from anybody; idle connections are closed, tunnels are ended."], [flying], rest];
  }
  return [["It gets requests again as soon as its checks allow."]];
}

const TITLES = {
  drain: ["Drain", "Drain it"], down: ["Take down", "Take it down"], ready: ["Make ready", "Make it ready"],
};

function titleOf(verb, value, target) {
  if (verb === "maintenance") return value === "on" ? [`Put ${target} into maintenance?`, "Begin maintenance"] : [`End the maintenance of ${target}?`, "End maintenance"];
  const [word, go] = TITLES[verb];
  return [`${word} ${target}?`, go];
}

// A press of a button with data-verb. `find(target)`: {pool, peer} as they are now.
export async function operate(button, find) {
  const { verb, target, value } = button.dataset;
  const { pool, peer } = find(target);
  if (!pool) return;
  if (!token.get() && !(await askToken())) return;
  const dialog = byId("confirm");
  const [title, go] = titleOf(verb, value, target);
  const said = sentences(verb, value, pool, peer);
  setText(byId("confirm-title"), title);
  byId("confirm-text").replaceChildren(...said.map(([text, tone]) => h("p", { class: tone ?? null }, text)));
  const button2 = dialog.querySelector(".go");
  setText(button2, go);
  button2.classList.toggle("danger", said.some(([, tone]) => tone === "bad"));
  const problem = byId("confirm-error");
  setHidden(problem, true);
  let refused = "";
  await ask(dialog, async () => {
    const options = { target, ...(value ? { value } : {}) };
    const answer = await post(verb, options).catch(() => ({ error: "weir does not answer" }));
    if (answer.refused) {
      refused = answer.error;
      return true;
    }
    if (answer.error) {
      setText(problem, answer.error);
      setHidden(problem, false);
      return false;
    }
    toast(`${answer.text}${answer.warning ? `. ${answer.warning}` : ""}`);
    return true;
  });
  if (!refused) return;
  token.forget();
  if (await askToken(refused)) await operate(button, find);
}
