import type { BytesColumn } from '../columns/bytes-column.ts'
import type { DecimalColumn } from '../columns/decimal-column.ts'
import type { FixedBytesColumn, UuidColumn } from '../columns/fixed-bytes-column.ts'
import type { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LongColumn } from '../columns/long-column.ts'
import { avroJson } from './avro-json.ts'
import type { Plan } from './avro-plan.ts'
import { SHORT_DECIMAL_BYTES, type AvroScanner } from './avro-scanner.ts'
import { PUT, type Target } from './avro-target.ts'
import { jsonText, uuidText } from './avro-values.ts'

/** Appends the value that the scanner has read (`read` was true), with all its parts. */
export function append(from: AvroScanner, target: Target, repetition: number): void {
  const { put, definition } = target
  switch (put) {
    case PUT.BYTES:
      ;(target.column as BytesColumn).append(from.bytes, from.start, from.length, definition, repetition)
      return
    case PUT.NUMBER:
      ;(target.column as NumberColumn).append(from.number, definition, repetition)
      return
    case PUT.LONG:
      if (from.big === undefined) (target.column as LongColumn).append(from.number, definition, repetition)
      else (target.column as LongColumn).appendBig(from.big, definition, repetition)
      return
    case PUT.BOOLEAN:
      ;(target.column as BooleanColumn).append(from.number === 1, definition, repetition)
      return
    case PUT.SYMBOL: {
      const symbol = target.plan.symbols[from.number] as Buffer
      ;(target.column as BytesColumn).append(symbol, 0, symbol.length, definition, repetition)
      return
    }
    case PUT.DECIMAL: {
      const column = target.column as DecimalColumn
      if (from.length <= SHORT_DECIMAL_BYTES) column.append(from.number, definition, repetition)
      else column.appendBytes(from.bytes, from.start, from.length, definition, repetition)
      return
    }
    case PUT.FIXED:
      ;(target.column as FixedBytesColumn).append(from.bytes, from.start, definition, repetition)
      return
    case PUT.UUID:
      ;(target.column as UuidColumn).appendText(from.bytes, from.start, definition, repetition)
      return
    case PUT.UUID_TEXT:
      appendText(target, uuidText(from.bytes, from.start), repetition)
      return
    case PUT.JSON:
      appendText(target, jsonText(from.json(target.plan)), repetition)
      return
    case PUT.ANY_JSON:
      appendText(target, avroJson(from, target.plan), repetition)
      return
    default:
      appendParts(from, target, repetition)
  }
}

/** A null in each column below. */
export function appendNull({ leaves, nullDefinition }: Target, repetition: number): void {
  for (const column of leaves) column.appendNull(nullDefinition, repetition)
}

function appendParts(from: AvroScanner, target: Target, repetition: number): void {
  const { plan, parts, definition } = target
  if (target.put === PUT.LIST) {
    appendItems(from, target, repetition)
    return
  }
  if (target.put === PUT.STRUCT)
    for (let index = 0; index < plan.parts.length; index++) {
      appendNext(from, plan.parts[index] as Plan, parts[index], repetition)
    }
  else {
    const branch = from.number
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]
      if (index === branch) appendNext(from, plan.parts[index] as Plan, part, repetition)
      else if (part !== undefined) appendNull(part, repetition)
    }
  }
  for (const column of target.absent) column.appendNull(definition, repetition)
}

function appendItems(from: AvroScanner, target: Target, repetition: number): void {
  const [first, second] = target.parts as readonly [Target, Target | undefined]
  let level = repetition
  let isEmpty = true
  for (let count = from.block(); count > 0; count = from.block())
    for (; count > 0; count--) {
      appendNext(from, first.plan, first, level)
      if (second !== undefined) appendNext(from, second.plan, second, level)
      level = target.repetition
      isEmpty = false
    }
  if (isEmpty) for (const column of target.leaves) column.appendNull(target.definition - 1, repetition)
}

/** Reads the next value and appends it, or passes over it. */
function appendNext(from: AvroScanner, plan: Plan, target: Target | undefined, repetition: number): void {
  if (!from.read(plan)) {
    if (target !== undefined) appendNull(target, repetition)
  } else if (target === undefined) from.skipParts(plan)
  else append(from, target, repetition)
}

function appendText(target: Target, text: string, repetition: number): void {
  const bytes = Buffer.from(text)
  ;(target.column as BytesColumn).append(bytes, 0, bytes.length, target.definition, repetition)
}
