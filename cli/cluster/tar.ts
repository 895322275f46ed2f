/** One file of an archive. */
export interface TarFile {
  /** With forward slashes, at most 255 characters, relative. */
  readonly path: string
  readonly text: string
}

const BLOCK = 512

/** An archive in the ustar format (POSIX.1-1988 with the prefix field). The same files give the same bytes. */
export function tar(files: readonly TarFile[], modifiedMs: number): Buffer {
  const blocks = files.flatMap(({ path, text }) => {
    const content = Buffer.from(text)
    return [header(path, content.length, modifiedMs), content, Buffer.alloc(padding(content.length))]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

const padding = (length: number) => (BLOCK - (length % BLOCK)) % BLOCK

function header(path: string, size: number, modifiedMs: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const [prefix, name] = split(path)
  const put = (text: string, offset: number) => block.write(text, offset, 'utf8')
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  put(name, 0)
  put(octal(0o600, 7), 100)
  put(octal(0, 7), 108)
  put(octal(0, 7), 116)
  put(octal(size, 11), 124)
  put(octal(Math.floor(modifiedMs / 1000), 11), 136)
  // The sum is made with blanks in its own place.
  put(' '.repeat(8), 148)
  put('0', 156)
  put('ustar\0', 257)
  put('00', 263)
  put(prefix, 345)
  const sum = block.reduce((all, byte) => all + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Prefix and name: at most 155 and 100 bytes, parted at a slash. */
function split(path: string): readonly [string, string] {
  if (Buffer.byteLength(path) <= 100) return ['', path]
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name]
  }
  throw new RangeError(`the path ${path} is too long for an archive`)
}
