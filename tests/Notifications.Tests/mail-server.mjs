// A mail server on loopback: STARTTLS and a user are demanded, and every mail it takes is a line of JSON.
// mail-server.mjs PORT CERTIFICATE KEY USER PASSWORD
import { readFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';

const [port, certificate, key, user, password] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const refusal = (code, words) => Object.assign(new Error(words), { responseCode: code });

const server = new SMTPServer({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  onAuth: (auth, session, done) => {
    const known = session.secure && auth.username === user && auth.password === password;
    done(known ? null : refusal(535, 'unknown user'), known ? { user } : undefined);
  },
  onMailFrom: (address, _, done) => done(address.address.startsWith('refused@') ? refusal(550, 'not from here') : null),
  onRcptTo: (address, _, done) => {
    const name = address.address.split('@')[0];
    done(name === 'nobody' ? refusal(550, 'no such mailbox') : name === 'busy' ? refusal(450, 'come back later') : null);
  },
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      tell({ to: session.envelope.rcptTo.map((one) => one.address), secure: session.secure, mail: Buffer.concat(chunks).toString('utf8') });
      done();
    });
  },
});
server.on('error', () => {});
server.listen(Number(port), '127.0.0.1', () => tell({ ready: true }));
