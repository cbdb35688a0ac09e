import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** A shorter prefix is no network but the way to all of them, as tunnels have it: it would forbid every address. */
const SHORTEST_PREFIX = { IPv4: 8, IPv6: 32 } as const;
/** IPv6 addresses that are given out, RFC 4291 2.4; what lies outside of them leads to this machine or nowhere. */
const GLOBAL_UNICAST = { address: '2000::', prefix: 3 } as const;

/**
 * Whether an address lies in a network that this machine is in. With IPv6 the devices of a household have addresses
 * that are as public as any, and only the router keeps others out: from in here nothing does.
 */
export function ownNetworks(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): (address: string) => boolean {
  const own = new BlockList();
  for (const { cidr, family } of Object.values(interfaces).flatMap((infos) => infos ?? [])) {
    const [address, prefix] = cidr?.split('/') ?? [];
    if (!address || !(Number(prefix) >= SHORTEST_PREFIX[family])) continue;
    own.addSubnet(address, Number(prefix), family === 'IPv4' ? 'ipv4' : 'ipv6');
  }
  const global = new BlockList();
  global.addSubnet(GLOBAL_UNICAST.address, GLOBAL_UNICAST.prefix, 'ipv6');
  return (address) =>
    isIPv6(address) ? own.check(address, 'ipv6') || !global.check(address, 'ipv6') : own.check(address, 'ipv4');
}

/** A lookup that fails with `refusal()` when one of the addresses is `forbidden`: the connection might go to it. */
export function guardedLookup(
  lookup: LookupFunction,
  forbidden: (address: string) => boolean,
  refusal: () => Error,
): LookupFunction {
  return (hostname, options, done) =>
    lookup(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (!error && addresses.some(forbidden)) done(refusal(), []);
      else done(error, found, family);
    });
}
