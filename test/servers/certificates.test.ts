import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { Authority } from './certificates.ts'

const authority = new Authority('an authority')

test('a certificate names its subject, its hosts and its issuer, which has signed it', () => {
  const { cert, key } = authority.issue({
    commonName: 'somebody',
    organization: 'a group',
    usage: 'server',
    dnsNames: ['localhost', 'a.b.c'],
    addresses: ['127.0.0.1']
  })
  const certificate = new X509Certificate(cert)
  const issuer = new X509Certificate(authority.cert)
  assert.equal(certificate.subject, 'O=a group\nCN=somebody')
  assert.equal(certificate.subjectAltName, 'DNS:localhost, DNS:a.b.c, IP Address:127.0.0.1')
  assert.deepEqual([certificate.ca, issuer.ca], [false, true])
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  assert.ok(certificate.validFromDate.getTime() < Date.now() && Date.now() < certificate.validToDate.getTime())
})

test('a TLS client and server accept what one authority issued to each', async () => {
  const server = createServer({
    ...authority.issue({ commonName: 'server', usage: 'server', dnsNames: ['localhost'] }),
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>
  const client = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    servername: 'localhost',
    ca: authority.cert,
    ...authority.issue({ commonName: 'client', usage: 'client' })
  })
  const [peer] = await accepted
  assert.equal(peer.getPeerCertificate().subject.CN, 'client')
  client.destroy()
  peer.destroy()
  server.close()
})
