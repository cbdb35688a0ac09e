/**
 * `node:http`, without what an `import` of it brings: that reads every export there is, and reading `http.WebSocket`
 * loads undici, HTTP/2 and more, some 8 MB that a daemon would carry for good. `require` does the same as this.
 */
export const http = process.getBuiltinModule('node:http');
