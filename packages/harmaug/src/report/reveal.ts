/** The page's one script: a click on a masked text shows it, another hides it. It travels as its own source. */

function reveal(): void {
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLButtonElement>('button[data-masked]') : null;
    const place = button?.nextElementSibling;
    if (!button || !(place instanceof HTMLElement)) return;
    const isShown = button.getAttribute('aria-expanded') === 'true';
    if (isShown) {
      place.textContent = '';
    } else {
      const coded = atob(button.dataset.masked ?? '');
      const bytes = Uint8Array.from(coded, (character, at) => character.charCodeAt(0) ^ ((167 + 31 * at) & 255));
      place.textContent = new TextDecoder().decode(bytes);
    }
    place.hidden = isShown;
    button.setAttribute('aria-expanded', String(!isShown));
    button.textContent = (button.textContent ?? '').replace(isShown ? /^Hide/ : /^Show/, isShown ? 'Show' : 'Hide');
  });
}

export const revealScript = `(${reveal})();`;
