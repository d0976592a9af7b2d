(() => {
  const out = [], root = document.documentElement;
  if (matchMedia("print").matches && getComputedStyle(document.body).color !== "rgb(0, 0, 0)")
    out.push("printed text is " + getComputedStyle(document.body).color);
  if (root.scrollWidth > window.innerWidth + 1) {
    const inside = e => { for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== "visible") return true; return false; };
    const wide = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && !inside(e));
    out.push("the page is " + root.scrollWidth + " px wide in a window of " + window.innerWidth + ": " +
      wide.slice(-3).map(e => e.tagName + "." + e.className + " " + JSON.stringify(e.textContent.slice(0, 40))).join(", "));
  }
  for (const svg of document.querySelectorAll("svg")) {
    const box = svg.getBoundingClientRect();
    if (box.width === 0) continue;
    const name = svg.getAttribute("aria-label") || "a drawing";
    if (!svg.querySelector("path,line,rect,circle,text")) out.push(name + " is empty");
    const texts = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim() && !t.closest("[transform*=rotate]"));
    const boxes = texts.map(t => t.getBoundingClientRect());
    boxes.forEach((b, i) => {
      if (b.left < box.left - 1.5 || b.right > box.right + 1.5 || b.top < box.top - 2.5 || b.bottom > box.bottom + 2.5)
        out.push(name + ": " + JSON.stringify(texts[i].textContent) + " is cut");
      for (let k = 0; k < i; k++) {
        const w = Math.min(b.right, boxes[k].right) - Math.max(b.left, boxes[k].left);
        const h = Math.min(b.bottom, boxes[k].bottom) - Math.max(b.top, boxes[k].top);
        if (w > 1.5 && h > 0.35 * Math.min(b.height, boxes[k].height))
          out.push(name + ": " + JSON.stringify(texts[i].textContent) + " runs into " + JSON.stringify(texts[k].textContent));
      }
    });
  }
  return out;
})()
