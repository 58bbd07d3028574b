import { find } from "./element";

/** Under which the visitor's choice is kept. */
const KEY = "vectordoc-demo/theme";
const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Lets the visitor choose between light and dark, and what the system says. */
export function offerThemes(onChange: () => void): void {
  const button = find("theme", HTMLButtonElement);
  const set = (theme: Theme) => {
    document.documentElement.dataset["theme"] = theme;
    button.textContent = `Colours: ${theme}`;
    onChange();
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length] ?? "auto";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Where nothing is kept, the choice lasts as long as the page.
    }
    set(next);
  });
  set(kept());
}

function current(): Theme {
  return THEMES.find((theme) => theme === document.documentElement.dataset["theme"]) ?? "auto";
}

function kept(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}
