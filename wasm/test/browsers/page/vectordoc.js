// The package without a bundler.

export * from "./package/dist/browser.js";
export const options = {};
