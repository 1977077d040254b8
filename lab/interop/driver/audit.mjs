// What can be told about a page's looks without eyes. Runs inside the page.

// Words for each fault. `phone`: fingers have to hit what can be pressed.
export function audit({ phone }) {
  const LEAST = 44;
  const faults = [];
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest('.visually-hidden');
  const name = (element) =>
    `<${element.localName}${element.dataset.testid ? ` ${element.dataset.testid}` : ''}> “${(element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 40)}”`;
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth - clientWidth} px wider than the window`);

  const controls = [...document.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(visible);
  if (phone) {
    for (const control of controls) {
      const { width, height } = (control.closest('label') ?? control).getBoundingClientRect();
      // Links inside a sentence are as tall as the sentence.
      if (control.localName === 'a' && getComputedStyle(control).display === 'inline') continue;
      if (width < LEAST - 0.5 || height < LEAST - 0.5) faults.push(`${name(control)} is ${Math.round(width)} × ${Math.round(height)}`);
    }
  }
  for (const element of document.querySelectorAll('body *')) {
    if (!(element instanceof HTMLElement) || !visible(element)) continue;
    const style = getComputedStyle(element);
    const words = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    const cut = style.overflowX === 'hidden' || style.overflowX === 'clip';
    if (words && cut && style.textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1) faults.push(`${name(element)}: words are cut off`);
    const { left, right } = element.getBoundingClientRect();
    if (words && (left < -1 || right > clientWidth + 1)) faults.push(`${name(element)} reaches out of the window`);
  }
  return faults;
}
