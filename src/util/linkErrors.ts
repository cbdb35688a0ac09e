import { define } from './ErrorEntry.ts';

/** What can be wrong between the agent and its backend. */
export const LINK_ERRORS = define({
  EDGE_BACKEND_UNREACHABLE: {
    means: 'No connection to the backend, or it broke or timed out; messages wait on disk.',
    fix: 'Check backend.url, the network, and whether the backend runs (`edge-agent doctor` says where the way ends); retries go on without end.',
    retry: 'backoff',
    condition: 'backend-unreachable',
  },
  EDGE_BACKEND_BUSY: {
    means: 'The backend answered with a status that asks to come again; messages wait on disk.',
    fix: 'Nothing here; look at the backend if it lasts.',
    retry: 'backoff',
    condition: 'backend-busy',
  },
  EDGE_BACKEND_AUTH: {
    means: 'The backend refuses the secret or the agent id (401, 403, or close code 4001); nothing gets through.',
    fix: 'Compare the secret and edge.agent_id with the backend’s (`edge-agent doctor` says which of them it is). Another secret is used at the next try, a minute later or so, or at once after `kill -HUP PID`; no restart.',
    retry: 'backoff',
    condition: 'backend-auth',
  },
  EDGE_BACKEND_REJECTED: {
    means: 'The backend refuses this one message (4xx); it was set aside and the next went on.',
    fix: 'See `edge-agent status` for status and body, mend the cause, then `edge-agent retry GUID`.',
    retry: 'never',
  },
  EDGE_BACKEND_REDIRECT: {
    means: 'The backend answered with a redirect, which is not followed because the secret would go along.',
    fix: 'Set backend.url to the address the redirect names, if it is yours.',
    retry: 'backoff',
  },
  EDGE_BACKEND_ANSWER: {
    means: 'The backend’s answer is not what the protocol says (not JSON, too large, wrong types).',
    fix: 'Read the particulars in the log line; mend the backend. The message is posted again with the same key.',
    retry: 'backoff',
  },
  EDGE_BACKEND_NOT_FOUND: {
    means: 'The endpoint does not exist at this URL (404).',
    fix: 'Correct backend.url or backend.websocket_url, or let the backend serve the path named in the line.',
    retry: 'backoff',
    condition: 'backend-not-found',
  },
  EDGE_BACKEND_DNS: {
    means: 'The name of the backend (or of the proxy) cannot be resolved; messages wait on disk.',
    fix: 'Check the host in backend.url and the DNS servers of this Mac; retries go on without end.',
    retry: 'backoff',
    condition: 'backend-dns',
  },
  EDGE_BACKEND_INSECURE: {
    means: 'backend.allow_insecure is on: the secret and every message cross the network in the clear.',
    fix: 'Give backend.url and backend.websocket_url https: and wss:, and take backend.allow_insecure out.',
    retry: 'never',
    condition: 'backend-insecure',
  },
  EDGE_BACKEND_TOO_LARGE: {
    means: 'The backend sends a frame larger than 1 MiB each time the socket opens; what it holds is fetched by HTTP.',
    fix: 'Let the backend send less in one frame; the socket is tried again meanwhile.',
    retry: 'backoff',
    condition: 'frame-too-large',
  },
  EDGE_TLS_EXPIRED: {
    means:
      'The certificate of the backend has expired or is not valid yet; nothing is sent, or the secret could be read by others.',
    fix: 'Renew the certificate at the backend; check the clock of this Mac if it should be valid.',
    retry: 'backoff',
    condition: 'tls-expired',
  },
  EDGE_TLS_UNTRUSTED: {
    means:
      'The certificate of the backend is signed by nobody this Mac trusts; nothing is sent, or the secret could be read by others.',
    fix: 'Let the backend serve its whole chain, or name its authority in backend.ca_file; a proxy that inspects TLS has an authority of its own.',
    retry: 'backoff',
    condition: 'tls-untrusted',
  },
  EDGE_TLS_HOST: {
    means:
      'The certificate of the backend is for another name; nothing is sent, or the secret could be read by others.',
    fix: 'Correct the host in backend.url, or the names in the certificate.',
    retry: 'backoff',
    condition: 'tls-host',
  },
  EDGE_TLS_PIN: {
    means: 'The public key of the backend is none of backend.pin_sha256: somebody may be in between; nothing is sent.',
    fix: 'If the key was changed on purpose, write the new pin (the message has it) into backend.pin_sha256 and restart; else find out who answers.',
    retry: 'backoff',
    condition: 'tls-pin',
  },
  EDGE_TLS_FAILED: {
    means: 'No TLS connection came about: no common version, or the port does not speak TLS.',
    fix: 'Check scheme and port of backend.url, and the TLS settings of the backend.',
    retry: 'backoff',
    condition: 'tls-failed',
  },
  EDGE_CA_FILE: {
    means: 'The file in backend.ca_file cannot be used, so that only the authorities of Node are trusted.',
    fix: 'Name a PEM file of certificates that the user who runs edge-agent can read; it is read again for each connection.',
    retry: 'backoff',
    condition: 'ca-file',
  },
  EDGE_PROXY_AUTH: {
    means: 'The proxy wants a user name and password (407), or other ones; nothing gets through.',
    fix: 'Put them into HTTPS_PROXY (http://user:password@proxy:port) in the environment of the agent, and restart it.',
    retry: 'backoff',
    condition: 'proxy-auth',
  },
  EDGE_PROXY_FAILED: {
    means: 'The proxy cannot be reached, or will not connect to the backend; messages wait on disk.',
    fix: 'Check backend.proxy_url or HTTPS_PROXY, and ask those who run the proxy to allow CONNECT to the backend; NO_PROXY goes around it.',
    retry: 'backoff',
    condition: 'proxy-failed',
  },
});
