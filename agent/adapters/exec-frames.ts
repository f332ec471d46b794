const headerBytes = 8
const stderr = 2

/**
 * Reads what Docker sends of a command without a terminal: frames of a stream's number, three bytes of nothing, a length
 * and so many bytes. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
 */
export function frames(
  onOutput: (stream: 'output' | 'error', bytes: Buffer) => void,
): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4)
      if (rest.length < end) return
      onOutput(rest[0] === stderr ? 'error' : 'output', rest.subarray(headerBytes, end))
      rest = rest.subarray(end)
    }
  }
}
