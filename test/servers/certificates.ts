import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { bits, integer, octets, oid, sequence, set, tagged, utcTime, utf8, yes } from './der.ts'

/** A P-256 key and its certificate, both PEM. */
export interface Identity {
  readonly cert: string
  /** PKCS #8. */
  readonly key: string
}

export interface Leaf {
  readonly commonName: string
  /** Kubernetes reads a user's groups from it. */
  readonly organization?: string
  readonly usage: 'server' | 'client'
  readonly dnsNames?: readonly string[]
  /** IPv4 addresses. */
  readonly addresses?: readonly string[]
}

/** A certificate authority made for one server and thrown away with it. */
export class Authority {
  readonly cert: string
  readonly key: string
  readonly #private: KeyObject
  readonly #name: string

  constructor(name: string) {
    const pair = newKeys()
    this.#private = pair.privateKey
    this.#name = name
    const extensions = [
      extension('2.5.29.19', sequence(yes()), true),
      // Key usage: digital signature, certificate signing, revocation list signing.
      extension('2.5.29.15', bits(Buffer.from([0x86]), 1), true)
    ]
    this.cert = this.#certify(distinguishedName(name), pair.publicKey, extensions)
    this.key = pem(pair.privateKey)
  }

  issue({ commonName, organization, usage, dnsNames = [], addresses = [] }: Leaf): Identity {
    const { publicKey, privateKey } = newKeys()
    const extensions = [
      extension('2.5.29.19', sequence(), true),
      extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
      extension('2.5.29.37', sequence(oid(usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2')))
    ]
    const names = [
      ...dnsNames.map(name => tagged(0x82, Buffer.from(name))),
      ...addresses.map(address => tagged(0x87, Buffer.from(address.split('.').map(Number))))
    ]
    if (names.length > 0) extensions.push(extension('2.5.29.17', sequence(...names)))
    return {
      cert: this.#certify(distinguishedName(commonName, organization), publicKey, extensions),
      key: pem(privateKey)
    }
  }

  /** RFC 5280, section 4.1. */
  #certify(subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
    const nowMs = Date.now()
    const days = (count: number) => utcTime(nowMs + count * 86_400_000)
    const serial = randomBytes(16)
    serial[0] = 0x7f
    const body = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(serial),
      algorithm,
      distinguishedName(this.#name),
      sequence(days(-1), days(365)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions))
    )
    const certificate = sequence(body, algorithm, bits(sign('sha256', body, this.#private)))
    const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

/** A key pair without a certificate, both PEM. */
export function keyPair(): { publicKey: string; privateKey: string } {
  const { privateKey } = newKeys()
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
  return { publicKey: publicKey.toString(), privateKey: pem(privateKey) }
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

function distinguishedName(commonName: string, organization?: string): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)))
  const parts = organization === undefined ? [] : [attribute('2.5.4.10', organization)]
  return sequence(...parts, attribute('2.5.4.3', commonName))
}

const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [yes()] : []), octets(value))
