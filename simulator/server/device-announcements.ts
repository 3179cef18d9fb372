import type { DeviceAddress } from '../ports.ts';
import { type Account, accountJid, deviceKey, deviceListHash, jidOf } from './directory.ts';
import { attributes, node, unixSeconds } from './stanzas.ts';
import type { World } from './world.ts';

/** Tells everybody who asked for the account's device list, and the account's other devices, that it changed. */
export function announceDevice(address: DeviceAddress, change: 'add' | 'remove', world: World): void {
  const account = world.directory.account(address.pn);
  if (!account) return;
  tellWatchers(account, address, change, world);
  tellOwnDevices(account, address, world);
}

function tellWatchers(account: Account, address: DeviceAddress, change: 'add' | 'remove', world: World): void {
  const keyIndex = account.devices.get(address.device)?.keyIndex;
  for (const [key, watcher] of account.deviceWatchers) {
    if (!world.directory.device(watcher.address)) {
      account.deviceWatchers.delete(key);
      continue;
    }
    if (deviceKey(watcher.address) === deviceKey(address)) continue;
    const { mode } = watcher;
    const other = mode === 'pn' ? 'lid' : 'pn';
    const device = attributes({
      jid: jidOf(address, mode),
      ...(mode === 'pn' && { lid: jidOf(address, 'lid') }),
      'key-index': keyIndex === undefined ? undefined : String(keyIndex),
    });
    const attrs = attributes({
      from: accountJid(account, mode),
      ...(mode === 'pn' && { lid: accountJid(account, other) }),
      id: world.nextId(),
      type: 'devices',
      t: unixSeconds(),
    });
    const changed = node(change, { device_hash: deviceListHash(account) }, [
      node('device', device),
      node('key-index-list', { ts: unixSeconds() }),
    ]);
    world.post.deliver(watcher.address, node('notification', attrs, [changed]));
  }
}

function tellOwnDevices(account: Account, changed: DeviceAddress, world: World): void {
  const devices = [...account.devices.values()].map(({ address, keyIndex }) =>
    node('device', {
      jid: jidOf(address, 'pn'),
      ...(address.device > 0 && { 'key-index': String(keyIndex) }),
    }),
  );
  const attrs = { from: accountJid(account, 'pn'), id: world.nextId(), type: 'account_sync', t: unixSeconds() };
  const list = node('devices', { dhash: deviceListHash(account) }, devices);
  world.post.deliverToAccount(account, node('notification', attrs, [list]), changed);
}
