/** One reason for a failure, for people. */
export interface CauseText {
  readonly text: string;
  /** What the operator does about it. */
  readonly fix: string;
  /** What only the backend's people can answer. */
  readonly ask?: string;
}

const ASK_LOG = 'What does your log say of this request, at the time and with the agent id above?';

/** Every reason the doctor knows. causes.ts says when each is likely. */
export const CAUSES = {
  'header-lost': {
    text: 'The Authorization header does not arrive: something in between (a reverse proxy, a load balancer, a CDN) strips it.',
    fix: 'Ask the backend’s people whether the header arrives; the agent sends it with every request.',
    ask: 'Does the header Authorization of this request reach your program? Which proxies are in front of it, and do they pass it on, for upgrades too?',
  },
  'secret-wrong': {
    text: 'The secret is not the one the backend has for this agent.',
    fix: 'Compare the secret with the backend’s (a stray line end or an old one), then correct EDGE_SECRET, edge.secret_file or the Keychain item.',
    ask: 'Is the secret you have for this agent id the one we were given? Has it been replaced?',
  },
  'agent-unknown': {
    text: 'The agent id is not registered at the backend, or belongs to another secret.',
    fix: 'Compare edge.agent_id with the backend’s list, or have it registered.',
    ask: 'Is the agent id above registered with you, spelled the same, and active?',
  },
  'id-refused': {
    text: 'The backend refuses the form of the agent id, or the id in the URL and in X-Edge-Agent-Id reach it as two different ones.',
    fix: 'Compare edge.agent_id with what the backend expects; see whether a proxy rewrites the query.',
    ask: 'Which edge_agent_id and which X-Edge-Agent-Id arrive, and what form do you expect?',
  },
  'socket-differs': {
    text: 'The WebSocket endpoint checks something else than the HTTP endpoints do: token and agent id are right there.',
    fix: 'Nothing here: have the backend’s people compare the check of the WebSocket endpoint with that of POST /edge/sync.',
    ask: 'What does the WebSocket endpoint check before it accepts (header, query, Origin, a list of agents), and which of it fails?',
  },
  'closed-before-accept': {
    text: 'There is no WebSocket endpoint at this path, or its code closes before it accepts: servers on ASGI (uvicorn, hypercorn) answer both with an empty 403.',
    fix: 'Correct backend.websocket_url, or have the backend’s people look at the code that runs before accept().',
    ask: 'Is /edge/ws served as a WebSocket route by the program that answers, and what runs before it accepts?',
  },
  'upgrade-blocked': {
    text: 'A proxy, firewall or CDN in between refuses upgrades: the answer is its own, not the backend’s.',
    fix: 'Ask those who run it to allow WebSocket upgrades at this path; commands come by polling meanwhile.',
    ask: 'Is a firewall (WAF), CDN or proxy in front of you that must allow WebSocket upgrades for this path?',
  },
  'gateway-refuses': {
    text: 'A firewall, CDN or proxy in between refuses the request: the answer is a page of its own, not the backend’s.',
    fix: 'Ask those who run it to let requests of this Mac through.',
    ask: 'Is a firewall (WAF) or CDN in front of you that refuses our address or our requests?',
  },
  'endpoint-absent': {
    text: 'The backend has no such endpoint: it is an older version, or the endpoint is not switched on.',
    fix: 'Ask the backend’s people whether it is served; what it would bring is fetched another way meanwhile.',
    ask: 'Do you serve the path above, and since which version?',
  },
  'path-wrong': {
    text: 'The path before /edge is another: backend.url or backend.websocket_url lacks a prefix, or has one too many.',
    fix: 'Correct backend.url or backend.websocket_url.',
    ask: 'What is the whole URL of POST /edge/sync, and of the WebSocket?',
  },
  'other-port': {
    text: 'The WebSocket is served elsewhere, at another host or port than HTTP.',
    fix: 'Name it in backend.websocket_url.',
    ask: 'At which host and port is the WebSocket?',
  },
  'upgrade-lost': {
    text: 'A reverse proxy does not pass the upgrade on, so that a plain GET arrives. nginx needs: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade".',
    fix: 'Have the headers Upgrade and Connection passed on by the reverse proxy in front of the backend.',
    ask: 'Do Upgrade: websocket and Connection: Upgrade reach your program at this path?',
  },
  'web-page': {
    text: 'A web page answers in place of the backend: a start page for unknown paths, a login page, or that of a guest network.',
    fix: 'Open the URL in a browser on this Mac: is it the backend, and does the network want a login?',
    ask: 'Does your web server answer unknown paths with a page, and is /edge routed to the backend before that?',
  },
  'https-wanted': {
    text: 'The server wants https: it redirects http, and redirects are never followed because the secret would go along.',
    fix: 'Write https:// in backend.url and wss:// in backend.websocket_url.',
  },
  redirected: {
    text: 'The server redirects elsewhere, which is never followed because the secret would go along.',
    fix: 'Set backend.url or backend.websocket_url to the address the redirect names, if it is the backend’s.',
    ask: 'Why is this request redirected, and what is the address to use?',
  },
  'behind-down': {
    text: 'A proxy or load balancer answers, but the backend behind it does not.',
    fix: 'Wait, and tell the backend’s people if it lasts; nothing is lost meanwhile.',
    ask: 'Is the program behind the proxy running, and at the address the proxy has for it?',
  },
  'behind-slow': {
    text: 'A proxy waits for the backend in vain: the backend is stuck or overloaded.',
    fix: 'Wait, and tell the backend’s people if it lasts; nothing is lost meanwhile.',
    ask: 'Why does this request take longer than your proxy waits?',
  },
  restarting: {
    text: 'The backend restarts, or has switched this off for a while.',
    fix: 'Wait; the agent comes back by itself.',
    ask: 'Is the backend being restarted, or are sockets switched off?',
  },
  'rate-limited': {
    text: 'The backend limits how often this agent, or this address, may ask.',
    fix: 'Wait as long as Retry-After says; look for a second agent with the same id or address.',
    ask: 'Which limit was reached, and who else comes from our address?',
  },
  'backend-defect': {
    text: 'The backend failed at this request.',
    fix: 'Have the backend’s people look at their log; nothing is lost meanwhile.',
    ask: ASK_LOG,
  },
  'contract-differs': {
    text: 'The backend expects other contents than the contract says.',
    fix: 'Show the body above to the backend’s people.',
    ask: 'Which part of this request do you refuse, and why?',
  },
  'cut-at-once': {
    text: 'The connection was cut without a close frame: the backend’s handler failed right after it accepted, or a proxy in between allows the upgrade but not the connection.',
    fix: 'Have the backend’s people look at the log of the moment after the handshake; try without the proxy.',
    ask: 'What happens in your handler right after it accepts? Does anything in front of you cut WebSockets?',
  },
  'frames-changed': {
    text: 'Something between here and the backend breaks WebSocket frames, or the backend writes none.',
    fix: 'Try without the proxy; have the backend’s people look at it if it stays.',
    ask: 'Which WebSocket library do you use, and does a wscat from outside work?',
  },
  replaced: {
    text: 'Another connection with the same agent id took the place of this one.',
    fix: 'Look for a second agent with this id.',
    ask: 'From which addresses do connections with this agent id come?',
  },
  'closed-on-purpose': {
    text: 'The backend closed the connection for a reason of its own.',
    fix: 'Ask the backend’s people what the code and the reason mean.',
    ask: 'What does this close code mean with you?',
  },
  'silent-socket': {
    text: 'The socket opens but nothing comes back: a proxy holds frames back, or the backend does not answer { "type": "ping" }.',
    fix: 'Try without the proxy; have the backend answer a ping with { "type": "pong" }.',
    ask: 'Does your endpoint answer the frame { "type": "ping" } with { "type": "pong" }, and does any proxy buffer the connection?',
  },
  'name-wrong': {
    text: 'The host name does not exist: it is misspelt, or known in another network only (VPN).',
    fix: 'Check the host in backend.url; connect the VPN if it needs one.',
    ask: 'What is the host name, and is it known outside your network?',
  },
  'resolver-down': {
    text: 'The DNS servers of this Mac do not answer, or the Mac is offline.',
    fix: 'Check the network and the DNS servers (scutil --dns); see whether other names resolve.',
  },
  'nothing-listens': {
    text: 'Nothing listens at this port: the backend is down, or the port is another.',
    fix: 'Check the port in the URL, and whether the backend runs.',
    ask: 'Is the backend running, and at which port?',
  },
  'firewall-drops': {
    text: 'A firewall drops what is sent to this port, here (Little Snitch, a company’s network) or at the backend.',
    fix: 'Try from another network; allow node or edge-agent in the firewall of this Mac.',
    ask: 'Does your firewall let our address in at this port?',
  },
  offline: {
    text: 'This Mac is offline, or has no route to the backend.',
    fix: 'Check the network and the VPN of this Mac.',
  },
  'cut-on-the-way': {
    text: 'The connection was broken off on the way: by the backend, a proxy, or a firewall that looks into it.',
    fix: 'Try again, and from another network; look at the backend if it stays.',
    ask: ASK_LOG,
  },
  'answers-late': {
    text: 'The connection is there but no answer came in time: the backend is stuck, or something in between holds the request.',
    fix: 'Have the backend’s people see whether the request arrives.',
    ask: 'Does this request reach you, and what keeps its answer?',
  },
  'secret-missing': {
    text: 'The agent has no secret to show.',
    fix: 'Set EDGE_SECRET, edge.secret_file (mode 0600) or edge.secret_keychain_service.',
  },
  'tls-expired': {
    text: 'The certificate has expired, or the clock of this Mac is wrong.',
    fix: 'Check the clock of this Mac; else have the certificate renewed.',
    ask: 'Which certificate do you serve at this address, and until when is it valid?',
  },
  'tls-inspected': {
    text: 'A proxy or security program of the network inspects TLS with an authority of its own.',
    fix: 'Name its authority in backend.ca_file, or have the backend exempted.',
  },
  'tls-chain': {
    text: 'The backend’s certificate is its own or a company’s, or it serves it without the intermediate one.',
    fix: 'Have the whole chain served, or name the authority in backend.ca_file.',
    ask: 'Who signed your certificate, and do you serve the whole chain?',
  },
  'tls-host': {
    text: 'The certificate is for another name: the host is misspelt, or another server answers at this address.',
    fix: 'Correct the host in the URL, or the names in the certificate.',
    ask: 'For which names is the certificate at this address?',
  },
  'tls-pin': {
    text: 'The key of the certificate is none of backend.pin_sha256: it was changed, or somebody is in between.',
    fix: 'If the key was changed on purpose, write the new pin into backend.pin_sha256; else find out who answers.',
    ask: 'Have you changed the key of your certificate, and what is its SHA-256 pin now?',
  },
  'tls-none': {
    text: 'The port does not speak TLS, or no version that this program speaks too.',
    fix: 'Check scheme and port of the URL.',
    ask: 'Is this port for https, and which TLS versions do you allow?',
  },
  'ca-file': {
    text: 'backend.ca_file cannot be used, so that only the authorities of Node are trusted.',
    fix: 'Name a PEM file of certificates that this user can read.',
  },
  'proxy-auth': {
    text: 'The proxy wants a user name and password, or other ones.',
    fix: 'Put them into HTTPS_PROXY in the environment of the agent.',
  },
  'proxy-name': {
    text: 'The host name of the proxy does not exist: it is misspelt, or known in another network only.',
    fix: 'Correct backend.proxy_url or HTTPS_PROXY, or take it out where this network needs no proxy.',
  },
  'proxy-refuses': {
    text: 'The proxy cannot be reached, or will not connect to the backend.',
    fix: 'Check backend.proxy_url or HTTPS_PROXY; ask those who run the proxy to allow CONNECT to the backend, or go around it with NO_PROXY.',
  },
  'proxy-speaks': {
    text: 'The proxy lets the connection through in word only, and then speaks itself: a login page, or a proxy of another kind.',
    fix: 'Check backend.proxy_url or HTTPS_PROXY; open the URL in a browser that uses the proxy.',
  },
  unknown: {
    text: 'The backend answers in a way the contract does not name.',
    fix: 'Ask the backend’s people what the answer means.',
    ask: ASK_LOG,
  },
} as const satisfies Record<string, CauseText>;

export type Cause = keyof typeof CAUSES;
