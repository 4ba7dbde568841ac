// Small helpers around the DOM. Nothing is written that is there already: a page that hangs on a
// wall for weeks should cost next to nothing.

const SVG = "http://www.w3.org/2000/svg";

// h("p", {class: "soft"}, "text", child...)
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function setText(element, text) {
  if (element.shownText === text) return;
  element.shownText = text;
  element.textContent = text;
}

export function setAttribute(element, name, value) {
  const shown = (element.shownAttributes ??= {});
  if (shown[name] === value) return;
  shown[name] = value;
  element.setAttribute(name, value);
}

export function setClass(element, name) {
  setAttribute(element, "class", name);
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// Makes the children of `parent` be as many as `items`, and lets each show its item.
export function showList(parent, items, make, show) {
  const made = (parent.madeChildren ??= []);
  while (made.length > items.length) made.pop().element.remove();
  while (made.length < items.length) {
    const child = make();
    made.push(child);
    parent.append(child.element);
  }
  items.forEach((item, index) => show(made[index], item, index));
}

export const byId = (id) => document.getElementById(id);
