import { describe, expect, it } from 'vitest';
import { Network, type NetworkOptions } from '../../../src/backend/network/Network.ts';
import { NetworkConditions } from '../../../src/backend/network/NetworkConditions.ts';
import { networkFailure } from '../../../src/backend/network/networkFailure.ts';
import { EdgeError } from '../../../src/util/EdgeError.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';

const withCode = (code: string) => Object.assign(new Error('what happened'), { code });

describe('what an error of a connection means', () => {
  it.each([
    ['ENOTFOUND', 'EDGE_BACKEND_DNS'],
    ['EAI_AGAIN', 'EDGE_BACKEND_DNS'],
    ['EAI_NONAME', 'EDGE_BACKEND_DNS'],
    ['CERT_HAS_EXPIRED', 'EDGE_TLS_EXPIRED'],
    ['CERT_NOT_YET_VALID', 'EDGE_TLS_EXPIRED'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'EDGE_TLS_UNTRUSTED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'EDGE_TLS_UNTRUSTED'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'EDGE_TLS_UNTRUSTED'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'EDGE_TLS_UNTRUSTED'],
    ['CERT_REVOKED', 'EDGE_TLS_UNTRUSTED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'EDGE_TLS_HOST'],
    ['EPROTO', 'EDGE_TLS_FAILED'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'EDGE_TLS_FAILED'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'EDGE_TLS_FAILED'],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'EDGE_BACKEND_TOO_LARGE'],
    ['WS_ERR_INVALID_UTF8', 'EDGE_FRAME_INVALID'],
    ['WS_ERR_UNEXPECTED_RSV_1', 'EDGE_FRAME_INVALID'],
    ['ECONNREFUSED', 'EDGE_BACKEND_UNREACHABLE'],
    ['ECONNRESET', 'EDGE_BACKEND_UNREACHABLE'],
    ['EPIPE', 'EDGE_BACKEND_UNREACHABLE'],
    ['ETIMEDOUT', 'EDGE_BACKEND_UNREACHABLE'],
    ['EHOSTUNREACH', 'EDGE_BACKEND_UNREACHABLE'],
    ['ENETUNREACH', 'EDGE_BACKEND_UNREACHABLE'],
    ['ENETDOWN', 'EDGE_BACKEND_UNREACHABLE'],
    ['EADDRNOTAVAIL', 'EDGE_BACKEND_UNREACHABLE'],
    ['EMFILE', 'EDGE_BACKEND_UNREACHABLE'],
    ['HPE_INVALID_CONSTANT', 'EDGE_BACKEND_UNREACHABLE'],
    ['UND_NEW', 'EDGE_BACKEND_UNREACHABLE'],
  ])('%s is %s', (code, expected) => {
    expect(networkFailure(withCode(code))).toEqual({ code: expected, detail: `${code}: what happened` });
  });

  it('of several attempts names each', () => {
    const error = Object.assign(new AggregateError([withCode('ECONNREFUSED'), withCode('ENETUNREACH')]), {
      code: 'ECONNREFUSED',
    });
    const detail = 'ECONNREFUSED: what happened; ENETUNREACH: what happened';
    expect(networkFailure(error)).toEqual({ code: 'EDGE_BACKEND_UNREACHABLE', detail });
  });

  it('is told without the addresses and files of OpenSSL', () => {
    const openssl =
      'write EPROTO 4073B15E477F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/openssl/ssl/record/methods/tlsany_meth.c:78:\n';
    const error = Object.assign(new Error(openssl), { code: 'EPROTO' });
    expect(networkFailure(error).detail).toBe('write EPROTO SSL routines: wrong version number');
  });

  it('that has a code of the catalogue is that', () => {
    const error = new EdgeError('EDGE_TLS_PIN', 'another key');
    expect(networkFailure(error)).toEqual({ code: 'EDGE_TLS_PIN', detail: 'another key' });
  });

  it('is told in 500 characters, however many names a certificate has', () => {
    expect(networkFailure(new Error('x'.repeat(10_000))).detail).toHaveLength(500);
  });

  it.each([[undefined], [null], ['text'], [{ code: 7 }]])('is an outage where %j was thrown', (thrown) => {
    expect(networkFailure(thrown).code).toBe('EDGE_BACKEND_UNREACHABLE');
  });
});

describe('the start', () => {
  const told = (options: NetworkOptions, ...urls: string[]) => {
    const { telemetry, calls } = recordingTelemetry();
    new Network({ ...options, telemetry }).start(urls);
    return calls.map(({ event, args }) => [event, ...args]);
  };

  it('says nothing where nothing is special', () => {
    expect(told({}, 'https://backend.example.com', 'wss://backend.example.com/edge/ws')).toEqual([]);
    expect(told({}, 'http://127.0.0.1:8080', 'ws://localhost:8080/edge/ws')).toEqual([]);
  });

  it('says proxy and pins in one line', () => {
    const options = { proxyUrl: 'http://user:word@proxy.example.com:3128', pins: ['a', 'b'] };
    expect(told(options, 'https://backend.example.com', 'wss://backend.example.com/edge/ws')).toEqual([
      ['networkUsed', 'proxy http://proxy.example.com:3128, public keys pinned: 2'],
    ]);
  });

  it('warns each time of what crosses the network in the clear', () => {
    expect(told({}, 'http://backend.example.com', 'ws://other.example.com/edge/ws')).toEqual([
      ['conditionRaised', 'EDGE_BACKEND_INSECURE', 'http://backend.example.com/, ws://other.example.com/edge/ws'],
    ]);
  });
});

describe('what is wrong on the way', () => {
  function rig() {
    const { telemetry, calls } = recordingTelemetry();
    const told = () => calls.splice(0).map(({ event, args }) => `${event} ${args[0]}`);
    return { conditions: new NetworkConditions(telemetry), told };
  }

  it('is raised by each that meets it, and cleared when a connection works', () => {
    const { conditions, told } = rig();
    conditions.failed('http', 'EDGE_TLS_EXPIRED', 'one');
    conditions.failed('http', 'EDGE_TLS_EXPIRED', 'two');
    expect(told()).toEqual(['conditionRaised EDGE_TLS_EXPIRED', 'conditionRaised EDGE_TLS_EXPIRED']);
    conditions.worked('http');
    conditions.worked('http');
    expect(told()).toEqual(['conditionCleared EDGE_TLS_EXPIRED']);
  });

  it('is replaced by what is wrong next, but not by an outage, which says nothing of it', () => {
    const { conditions, told } = rig();
    conditions.failed('http', 'EDGE_BACKEND_DNS', 'one');
    conditions.failed('http', 'EDGE_BACKEND_UNREACHABLE', 'two');
    expect(told()).toEqual(['conditionRaised EDGE_BACKEND_DNS']);
    conditions.failed('http', 'EDGE_TLS_HOST', 'three');
    expect(told()).toEqual(['conditionCleared EDGE_BACKEND_DNS', 'conditionRaised EDGE_TLS_HOST']);
  });

  it('of the one channel stands though the other works', () => {
    const { conditions, told } = rig();
    conditions.failed('http', 'EDGE_PROXY_FAILED', 'one');
    conditions.failed('socket', 'EDGE_PROXY_FAILED', 'two');
    conditions.worked('http');
    expect(told()).toEqual(['conditionRaised EDGE_PROXY_FAILED', 'conditionRaised EDGE_PROXY_FAILED']);
    conditions.worked('socket');
    expect(told()).toEqual(['conditionCleared EDGE_PROXY_FAILED']);
  });
});
