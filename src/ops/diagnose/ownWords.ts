/** What stands in quotes, brackets or braces, to the last that closes: names, answers and reasons of others. */
const QUOTED = [/"[^"]*"?/g, /“[^”]*”?/g, /\{.*\}?/g, /\[.*\]?/g];
/** After these words a backend, or a script, speaks to the end of the line. */
const OTHERS =
  /(\bIt said:|\breason=|\bSend \d+ to \S+ failed:|\bexecution error:|\bunsupported command_type:|\banswered 3\d\d to).*$/;
/** Its quotes hold the words of Node and ws about a connection. */
const ABOUT_SOCKET = /^WebSocket error: /;

/**
 * What the agent itself says in a line of its log or in a detail. Who wrote the rest may have put a message into it: a
 * backend that refuses one likes to quote it.
 */
export function ownWords(text: string): string {
  if (ABOUT_SOCKET.test(text)) return text;
  return QUOTED.reduce((left, pattern) => left.replace(pattern, '[…]'), text).replace(OTHERS, '$1 […]');
}
