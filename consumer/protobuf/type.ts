/** A .proto file with all that it imports, ready to be asked. */
export interface ProtoFile {
  /** The message at a path of places among messages, the outermost first, as Confluent's wire format has it. */
  message(path: readonly number[]): ProtoMessage | undefined
}

/** Reads the text of a .proto file. SchemaError for what is not one. */
export type ParseProto = (text: string, imports: readonly ProtoImport[]) => ProtoFile

export interface ProtoImport {
  /** As other files import it: `acme/place.proto`. */
  readonly name: string
  readonly text: string
}

export type ProtoType = ScalarKind | ProtoEnum | ProtoMessage

export type ScalarKind =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

export interface ProtoEnum {
  readonly kind: 'enum'
  /** By number; of aliases the first. */
  readonly symbols: ReadonlyMap<number, string>
}

export interface ProtoMessage {
  readonly kind: 'message'
  /** With its package: `google.protobuf.Timestamp`. */
  readonly name: string
  /** May contain the message itself. */
  readonly fields: readonly ProtoField[]
}

export interface ProtoField {
  readonly name: string
  readonly number: number
  readonly doc: string | undefined
  /** implicit: absent is the same as zero or empty. explicit: absent is absent. */
  readonly label: 'implicit' | 'explicit' | 'required' | 'repeated' | 'map'
  readonly type: ProtoType
  /** Of map. */
  readonly key: ScalarKind | undefined
  /** The oneof it belongs to, of which no more than one field is set. */
  readonly oneof: string | undefined
  /** Written between tags rather than with a length. */
  readonly isGroup: boolean
}
