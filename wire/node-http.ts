/**
 * Node's own `http` for processes that run once an instance. To import it as an ES module makes Node.js evaluate all
 * that it exports, among that a whole second HTTP client and HTTP/2: 4 MB in every process, for nothing.
 */
export const { Agent, createServer, request } = process.getBuiltinModule('node:http')
