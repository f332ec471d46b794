import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { gunzipSync, inflateSync } from 'node:zlib'
import { AwsError } from './error.ts'

/** How large a request may be, unless its service needs more. */
export const bodyBytesMax = 10 * 1024 * 1024

const tooLarge = (bytesMax: number): AwsError =>
  new AwsError('RequestEntityTooLargeException', `The request is larger than ${bytesMax} bytes.`, 413)

/**
 * The bytes of a request as they were sent. Throws an AwsError of status 413 as soon as there are too many; the rest
 * then stays unread, so the connection is of no more use.
 */
export function readBody(request: IncomingMessage, bytesMax = bodyBytesMax): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) return reject(tooLarge(bytesMax))
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bytesMax) {
        request.pause()
        reject(tooLarge(bytesMax))
      } else {
        chunks.push(chunk)
      }
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => {
      if (!request.complete) reject(new Error('the client went away'))
    })
  })
}

/** Undoes the content codings that a client may put around a body: `aws-chunked`, gzip, deflate. */
export function decodeBody(body: Buffer, headers: IncomingHttpHeaders, bytesMax = bodyBytesMax): Buffer {
  const codings = (headers['content-encoding'] ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const streaming = String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')
  if (streaming && !codings.includes('aws-chunked')) codings.push('aws-chunked')
  let decoded = body
  for (const coding of codings.toReversed()) decoded = undo(coding, decoded, bytesMax)
  return decoded
}

function undo(coding: string, body: Buffer, bytesMax: number): Buffer {
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return gunzipSync(body, { maxOutputLength: bytesMax })
    if (coding === 'deflate') return inflateSync(body, { maxOutputLength: bytesMax })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new AwsError('SerializationException', `The request body is not valid ${coding}.`)
  }
  if (coding === 'aws-chunked') return joinChunks(body)
  throw new AwsError('SerializationException', `Content-Encoding ${coding} is not supported.`, 415)
}

/** Joins `size[;chunk-signature=…]\r\n data \r\n`, up to the chunk of size 0; what follows are trailers. */
function joinChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  let offset = 0
  for (;;) {
    const end = body.indexOf('\r\n', offset)
    const size = /^([\da-f]{1,8})(?:;|$)/i.exec(body.toString('latin1', offset, Math.max(end, offset)))?.[1]
    const length = size === undefined ? Number.NaN : Number.parseInt(size, 16)
    const start = end + 2
    if (end === -1 || Number.isNaN(length) || start + length > body.length)
      throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly')
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(body.subarray(start, start + length))
    offset = start + length + 2
  }
}
