/** What a bundler or a runtime makes of an import of a module: to be given to `open` as `module`. */
declare const module: object | string;
export default module;
