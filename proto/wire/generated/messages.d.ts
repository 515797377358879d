import * as $protobuf from "protobufjs";
import Long = require("long");

/** Namespace afterimage. */
export namespace afterimage {

    /**
     * Properties of an Actor.
     * @deprecated Use afterimage.Actor.$Properties instead.
     */
    interface IActor extends afterimage.Actor.$Properties {
    }

    /** Represents an Actor. */
    class Actor {

        /**
         * Constructs a new Actor.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Actor.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Actor pid. */
        pid: Long;

        /** Actor startNs. */
        startNs: Long;

        /** Actor uid. */
        uid: number;

        /** Actor command. */
        command: Uint8Array;

        /**
         * Encodes the specified Actor message. Does not implicitly {@link afterimage.Actor.verify|verify} messages.
         * @param m Actor message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Actor.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Actor message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Actor & afterimage.Actor.$Shape} Actor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Actor & afterimage.Actor.$Shape;
    }

    namespace Actor {

        /** Properties of an Actor. */
        interface $Properties {

            /** Actor pid */
            pid?: (Long|null);

            /** Actor startNs */
            startNs?: (Long|null);

            /** Actor uid */
            uid?: (number|null);

            /** Actor command */
            command?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Actor. */
        type $Shape = afterimage.Actor.$Properties;
    }

    /**
     * Properties of a Change.
     * @deprecated Use afterimage.Change.$Properties instead.
     */
    interface IChange extends afterimage.Change.$Properties {
    }

    /** Represents a Change. */
    class Change {

        /**
         * Constructs a new Change.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Change.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Change timeDeltaNs. */
        timeDeltaNs: Long;

        /** Change volume. */
        volume: number;

        /** Change actor. */
        actor: number;

        /** Change newActor. */
        newActor?: (afterimage.Actor.$Properties|null);

        /** Change create. */
        create?: (afterimage.Create.$Properties|null);

        /** Change link. */
        link?: (afterimage.Link.$Properties|null);

        /** Change unlink. */
        unlink?: (afterimage.Unlink.$Properties|null);

        /** Change rename. */
        rename?: (afterimage.Rename.$Properties|null);

        /** Change write. */
        write?: (afterimage.Write.$Properties|null);

        /** Change truncate. */
        truncate?: (afterimage.Truncate.$Properties|null);

        /** Change punch. */
        punch?: (afterimage.Range.$Properties|null);

        /** Change zero. */
        zero?: (afterimage.Range.$Properties|null);

        /** Change clone. */
        clone?: (afterimage.Clone.$Properties|null);

        /** Change attributes. */
        attributes?: (afterimage.Attributes.$Properties|null);

        /** Change xattrSet. */
        xattrSet?: (afterimage.Xattr.$Properties|null);

        /** Change xattrRemove. */
        xattrRemove?: (afterimage.Xattr.$Properties|null);

        /** Change discard. */
        discard?: (afterimage.Range.$Properties|null);

        /** Change flush. */
        flush?: (afterimage.Empty.$Properties|null);

        /** Change baseline. */
        baseline?: (afterimage.Edge.$Properties|null);

        /** Change gap. */
        gap?: (afterimage.Gap.$Properties|null);

        /** Change settled. */
        settled?: (afterimage.Settled.$Properties|null);

        /** Change mark. */
        mark?: (afterimage.Mark.$Properties|null);

        /** Change clock. */
        clock?: (afterimage.ClockStep.$Properties|null);

        /** Change durable. */
        durable?: (afterimage.DurableEdge.$Properties|null);

        /** Change volumeDefinition. */
        volumeDefinition?: (afterimage.VolumeDefinition.$Properties|null);

        /** Change retired. */
        retired?: (afterimage.VolumeRetired.$Properties|null);

        /** Change body. */
        body?: ("create"|"link"|"unlink"|"rename"|"write"|"truncate"|"punch"|"zero"|"clone"|"attributes"|"xattrSet"|"xattrRemove"|"discard"|"flush"|"baseline"|"gap"|"settled"|"mark"|"clock"|"durable"|"volumeDefinition"|"retired");

        /**
         * Encodes the specified Change message. Does not implicitly {@link afterimage.Change.verify|verify} messages.
         * @param m Change message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Change.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Change message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Change & afterimage.Change.$Shape} Change
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Change & afterimage.Change.$Shape;
    }

    namespace Change {

        /** Properties of a Change. */
        interface $Properties {

            /** Change timeDeltaNs */
            timeDeltaNs?: (Long|null);

            /** Change volume */
            volume?: (number|null);

            /** Change actor */
            actor?: (number|null);

            /** Change newActor */
            newActor?: (afterimage.Actor.$Properties|null);

            /** Change create */
            create?: (afterimage.Create.$Properties|null);

            /** Change link */
            link?: (afterimage.Link.$Properties|null);

            /** Change unlink */
            unlink?: (afterimage.Unlink.$Properties|null);

            /** Change rename */
            rename?: (afterimage.Rename.$Properties|null);

            /** Change write */
            write?: (afterimage.Write.$Properties|null);

            /** Change truncate */
            truncate?: (afterimage.Truncate.$Properties|null);

            /** Change punch */
            punch?: (afterimage.Range.$Properties|null);

            /** Change zero */
            zero?: (afterimage.Range.$Properties|null);

            /** Change clone */
            clone?: (afterimage.Clone.$Properties|null);

            /** Change attributes */
            attributes?: (afterimage.Attributes.$Properties|null);

            /** Change xattrSet */
            xattrSet?: (afterimage.Xattr.$Properties|null);

            /** Change xattrRemove */
            xattrRemove?: (afterimage.Xattr.$Properties|null);

            /** Change discard */
            discard?: (afterimage.Range.$Properties|null);

            /** Change flush */
            flush?: (afterimage.Empty.$Properties|null);

            /** Change baseline */
            baseline?: (afterimage.Edge.$Properties|null);

            /** Change gap */
            gap?: (afterimage.Gap.$Properties|null);

            /** Change settled */
            settled?: (afterimage.Settled.$Properties|null);

            /** Change mark */
            mark?: (afterimage.Mark.$Properties|null);

            /** Change clock */
            clock?: (afterimage.ClockStep.$Properties|null);

            /** Change durable */
            durable?: (afterimage.DurableEdge.$Properties|null);

            /** Change volumeDefinition */
            volumeDefinition?: (afterimage.VolumeDefinition.$Properties|null);

            /** Change retired */
            retired?: (afterimage.VolumeRetired.$Properties|null);

            /** Change body */
            body?: ("create"|"link"|"unlink"|"rename"|"write"|"truncate"|"punch"|"zero"|"clone"|"attributes"|"xattrSet"|"xattrRemove"|"discard"|"flush"|"baseline"|"gap"|"settled"|"mark"|"clock"|"durable"|"volumeDefinition"|"retired");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a Change. */
        type $Shape = {
          timeDeltaNs?: Long|null;
          volume?: number|null;
          actor?: number|null;
          newActor?: afterimage.Actor.$Shape|null;
          create?: afterimage.Create.$Shape|null;
          link?: afterimage.Link.$Shape|null;
          unlink?: afterimage.Unlink.$Shape|null;
          rename?: afterimage.Rename.$Shape|null;
          write?: afterimage.Write.$Shape|null;
          truncate?: afterimage.Truncate.$Shape|null;
          punch?: afterimage.Range.$Shape|null;
          zero?: afterimage.Range.$Shape|null;
          clone?: afterimage.Clone.$Shape|null;
          attributes?: afterimage.Attributes.$Shape|null;
          xattrSet?: afterimage.Xattr.$Shape|null;
          xattrRemove?: afterimage.Xattr.$Shape|null;
          discard?: afterimage.Range.$Shape|null;
          flush?: afterimage.Empty.$Shape|null;
          baseline?: afterimage.Edge.$Shape|null;
          gap?: afterimage.Gap.$Shape|null;
          settled?: afterimage.Settled.$Shape|null;
          mark?: afterimage.Mark.$Shape|null;
          clock?: afterimage.ClockStep.$Shape|null;
          durable?: afterimage.DurableEdge.$Shape|null;
          volumeDefinition?: afterimage.VolumeDefinition.$Shape|null;
          retired?: afterimage.VolumeRetired.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ body?: undefined; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "create"; create: afterimage.Create.$Shape; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "link"; create?: null; link: afterimage.Link.$Shape; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "unlink"; create?: null; link?: null; unlink: afterimage.Unlink.$Shape; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "rename"; create?: null; link?: null; unlink?: null; rename: afterimage.Rename.$Shape; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "write"; create?: null; link?: null; unlink?: null; rename?: null; write: afterimage.Write.$Shape; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "truncate"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate: afterimage.Truncate.$Shape; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "punch"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch: afterimage.Range.$Shape; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "zero"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero: afterimage.Range.$Shape; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "clone"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone: afterimage.Clone.$Shape; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "attributes"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes: afterimage.Attributes.$Shape; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "xattrSet"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet: afterimage.Xattr.$Shape; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "xattrRemove"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove: afterimage.Xattr.$Shape; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "discard"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard: afterimage.Range.$Shape; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "flush"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush: afterimage.Empty.$Shape; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "baseline"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline: afterimage.Edge.$Shape; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "gap"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap: afterimage.Gap.$Shape; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "settled"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled: afterimage.Settled.$Shape; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "mark"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark: afterimage.Mark.$Shape; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "clock"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock: afterimage.ClockStep.$Shape; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "durable"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable: afterimage.DurableEdge.$Shape; volumeDefinition?: null; retired?: null }|{ body?: "volumeDefinition"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition: afterimage.VolumeDefinition.$Shape; retired?: null }|{ body?: "retired"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired: afterimage.VolumeRetired.$Shape })
        );
    }

    /** NodeKind enum. */
    enum NodeKind {

        /** NODE_KIND_UNSPECIFIED value */
        NODE_KIND_UNSPECIFIED = 0,

        /** FILE value */
        FILE = 1,

        /** DIRECTORY value */
        DIRECTORY = 2,

        /** SYMLINK value */
        SYMLINK = 3,

        /** FIFO value */
        FIFO = 4,

        /** SOCKET value */
        SOCKET = 5,

        /** BLOCK_DEVICE value */
        BLOCK_DEVICE = 6,

        /** CHARACTER_DEVICE value */
        CHARACTER_DEVICE = 7
    }

    /**
     * Properties of a Metadata.
     * @deprecated Use afterimage.Metadata.$Properties instead.
     */
    interface IMetadata extends afterimage.Metadata.$Properties {
    }

    /** Represents a Metadata. */
    class Metadata {

        /**
         * Constructs a new Metadata.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Metadata.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Metadata nodeKind. */
        nodeKind: afterimage.NodeKind;

        /** Metadata mode. */
        mode: number;

        /** Metadata uid. */
        uid: number;

        /** Metadata gid. */
        gid: number;

        /** Metadata modifyNs. */
        modifyNs: Long;

        /** Metadata deviceMajor. */
        deviceMajor: number;

        /** Metadata deviceMinor. */
        deviceMinor: number;

        /** Metadata target. */
        target: Uint8Array;

        /** Metadata xattrs. */
        xattrs: afterimage.Xattr.$Properties[];

        /**
         * Encodes the specified Metadata message. Does not implicitly {@link afterimage.Metadata.verify|verify} messages.
         * @param m Metadata message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Metadata.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Metadata message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Metadata & afterimage.Metadata.$Shape} Metadata
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Metadata & afterimage.Metadata.$Shape;
    }

    namespace Metadata {

        /** Properties of a Metadata. */
        interface $Properties {

            /** Metadata nodeKind */
            nodeKind?: (afterimage.NodeKind|null);

            /** Metadata mode */
            mode?: (number|null);

            /** Metadata uid */
            uid?: (number|null);

            /** Metadata gid */
            gid?: (number|null);

            /** Metadata modifyNs */
            modifyNs?: (Long|null);

            /** Metadata deviceMajor */
            deviceMajor?: (number|null);

            /** Metadata deviceMinor */
            deviceMinor?: (number|null);

            /** Metadata target */
            target?: (Uint8Array|null);

            /** Metadata xattrs */
            xattrs?: (afterimage.Xattr.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Metadata. */
        type $Shape = afterimage.Metadata.$Properties;
    }

    /**
     * Properties of a Create.
     * @deprecated Use afterimage.Create.$Properties instead.
     */
    interface ICreate extends afterimage.Create.$Properties {
    }

    /** Represents a Create. */
    class Create {

        /**
         * Constructs a new Create.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Create.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Create node. */
        node: Long;

        /** Create parent. */
        parent: Long;

        /** Create name. */
        name: Uint8Array;

        /** Create metadata. */
        metadata?: (afterimage.Metadata.$Properties|null);

        /**
         * Encodes the specified Create message. Does not implicitly {@link afterimage.Create.verify|verify} messages.
         * @param m Create message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Create.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Create message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Create & afterimage.Create.$Shape} Create
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Create & afterimage.Create.$Shape;
    }

    namespace Create {

        /** Properties of a Create. */
        interface $Properties {

            /** Create node */
            node?: (Long|null);

            /** Create parent */
            parent?: (Long|null);

            /** Create name */
            name?: (Uint8Array|null);

            /** Create metadata */
            metadata?: (afterimage.Metadata.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Create. */
        type $Shape = afterimage.Create.$Properties;
    }

    /**
     * Properties of a Link.
     * @deprecated Use afterimage.Link.$Properties instead.
     */
    interface ILink extends afterimage.Link.$Properties {
    }

    /** Represents a Link. */
    class Link {

        /**
         * Constructs a new Link.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Link.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Link node. */
        node: Long;

        /** Link parent. */
        parent: Long;

        /** Link name. */
        name: Uint8Array;

        /**
         * Encodes the specified Link message. Does not implicitly {@link afterimage.Link.verify|verify} messages.
         * @param m Link message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Link.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Link message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Link & afterimage.Link.$Shape} Link
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Link & afterimage.Link.$Shape;
    }

    namespace Link {

        /** Properties of a Link. */
        interface $Properties {

            /** Link node */
            node?: (Long|null);

            /** Link parent */
            parent?: (Long|null);

            /** Link name */
            name?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Link. */
        type $Shape = afterimage.Link.$Properties;
    }

    /**
     * Properties of an Unlink.
     * @deprecated Use afterimage.Unlink.$Properties instead.
     */
    interface IUnlink extends afterimage.Unlink.$Properties {
    }

    /** Represents an Unlink. */
    class Unlink {

        /**
         * Constructs a new Unlink.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Unlink.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Unlink parent. */
        parent: Long;

        /** Unlink name. */
        name: Uint8Array;

        /**
         * Encodes the specified Unlink message. Does not implicitly {@link afterimage.Unlink.verify|verify} messages.
         * @param m Unlink message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Unlink.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Unlink message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Unlink & afterimage.Unlink.$Shape} Unlink
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Unlink & afterimage.Unlink.$Shape;
    }

    namespace Unlink {

        /** Properties of an Unlink. */
        interface $Properties {

            /** Unlink parent */
            parent?: (Long|null);

            /** Unlink name */
            name?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Unlink. */
        type $Shape = afterimage.Unlink.$Properties;
    }

    /**
     * Properties of a Rename.
     * @deprecated Use afterimage.Rename.$Properties instead.
     */
    interface IRename extends afterimage.Rename.$Properties {
    }

    /** Represents a Rename. */
    class Rename {

        /**
         * Constructs a new Rename.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Rename.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Rename parent. */
        parent: Long;

        /** Rename name. */
        name: Uint8Array;

        /** Rename toParent. */
        toParent: Long;

        /** Rename toName. */
        toName: Uint8Array;

        /** Rename exchange. */
        exchange: boolean;

        /**
         * Encodes the specified Rename message. Does not implicitly {@link afterimage.Rename.verify|verify} messages.
         * @param m Rename message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Rename.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Rename message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Rename & afterimage.Rename.$Shape} Rename
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Rename & afterimage.Rename.$Shape;
    }

    namespace Rename {

        /** Properties of a Rename. */
        interface $Properties {

            /** Rename parent */
            parent?: (Long|null);

            /** Rename name */
            name?: (Uint8Array|null);

            /** Rename toParent */
            toParent?: (Long|null);

            /** Rename toName */
            toName?: (Uint8Array|null);

            /** Rename exchange */
            exchange?: (boolean|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Rename. */
        type $Shape = afterimage.Rename.$Properties;
    }

    /**
     * Properties of a Write.
     * @deprecated Use afterimage.Write.$Properties instead.
     */
    interface IWrite extends afterimage.Write.$Properties {
    }

    /** Represents a Write. */
    class Write {

        /**
         * Constructs a new Write.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Write.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Write node. */
        node: Long;

        /** Write offset. */
        offset: Long;

        /** Write data. */
        data: Uint8Array;

        /**
         * Encodes the specified Write message. Does not implicitly {@link afterimage.Write.verify|verify} messages.
         * @param m Write message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Write.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Write message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Write & afterimage.Write.$Shape} Write
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Write & afterimage.Write.$Shape;
    }

    namespace Write {

        /** Properties of a Write. */
        interface $Properties {

            /** Write node */
            node?: (Long|null);

            /** Write offset */
            offset?: (Long|null);

            /** Write data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Write. */
        type $Shape = afterimage.Write.$Properties;
    }

    /**
     * Properties of a Truncate.
     * @deprecated Use afterimage.Truncate.$Properties instead.
     */
    interface ITruncate extends afterimage.Truncate.$Properties {
    }

    /** Represents a Truncate. */
    class Truncate {

        /**
         * Constructs a new Truncate.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Truncate.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Truncate node. */
        node: Long;

        /** Truncate size. */
        size: Long;

        /**
         * Encodes the specified Truncate message. Does not implicitly {@link afterimage.Truncate.verify|verify} messages.
         * @param m Truncate message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Truncate.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Truncate message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Truncate & afterimage.Truncate.$Shape} Truncate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Truncate & afterimage.Truncate.$Shape;
    }

    namespace Truncate {

        /** Properties of a Truncate. */
        interface $Properties {

            /** Truncate node */
            node?: (Long|null);

            /** Truncate size */
            size?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Truncate. */
        type $Shape = afterimage.Truncate.$Properties;
    }

    /**
     * Properties of a Range.
     * @deprecated Use afterimage.Range.$Properties instead.
     */
    interface IRange extends afterimage.Range.$Properties {
    }

    /** Represents a Range. */
    class Range {

        /**
         * Constructs a new Range.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Range.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Range node. */
        node: Long;

        /** Range offset. */
        offset: Long;

        /** Range length. */
        length: Long;

        /**
         * Encodes the specified Range message. Does not implicitly {@link afterimage.Range.verify|verify} messages.
         * @param m Range message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Range.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Range message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Range & afterimage.Range.$Shape} Range
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Range & afterimage.Range.$Shape;
    }

    namespace Range {

        /** Properties of a Range. */
        interface $Properties {

            /** Range node */
            node?: (Long|null);

            /** Range offset */
            offset?: (Long|null);

            /** Range length */
            length?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Range. */
        type $Shape = afterimage.Range.$Properties;
    }

    /**
     * Properties of a Clone.
     * @deprecated Use afterimage.Clone.$Properties instead.
     */
    interface IClone extends afterimage.Clone.$Properties {
    }

    /** Represents a Clone. */
    class Clone {

        /**
         * Constructs a new Clone.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Clone.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Clone node. */
        node: Long;

        /** Clone offset. */
        offset: Long;

        /** Clone length. */
        length: Long;

        /** Clone sourceNode. */
        sourceNode: Long;

        /** Clone sourceOffset. */
        sourceOffset: Long;

        /**
         * Encodes the specified Clone message. Does not implicitly {@link afterimage.Clone.verify|verify} messages.
         * @param m Clone message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Clone.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Clone message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Clone & afterimage.Clone.$Shape} Clone
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Clone & afterimage.Clone.$Shape;
    }

    namespace Clone {

        /** Properties of a Clone. */
        interface $Properties {

            /** Clone node */
            node?: (Long|null);

            /** Clone offset */
            offset?: (Long|null);

            /** Clone length */
            length?: (Long|null);

            /** Clone sourceNode */
            sourceNode?: (Long|null);

            /** Clone sourceOffset */
            sourceOffset?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Clone. */
        type $Shape = afterimage.Clone.$Properties;
    }

    /**
     * Properties of an Attributes.
     * @deprecated Use afterimage.Attributes.$Properties instead.
     */
    interface IAttributes extends afterimage.Attributes.$Properties {
    }

    /** Represents an Attributes. */
    class Attributes {

        /**
         * Constructs a new Attributes.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Attributes.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Attributes node. */
        node: Long;

        /** Attributes mode. */
        mode?: (number|null);

        /** Attributes uid. */
        uid?: (number|null);

        /** Attributes gid. */
        gid?: (number|null);

        /** Attributes modifyNs. */
        modifyNs?: (Long|null);

        /**
         * Encodes the specified Attributes message. Does not implicitly {@link afterimage.Attributes.verify|verify} messages.
         * @param m Attributes message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Attributes.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Attributes message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Attributes & afterimage.Attributes.$Shape} Attributes
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Attributes & afterimage.Attributes.$Shape;
    }

    namespace Attributes {

        /** Properties of an Attributes. */
        interface $Properties {

            /** Attributes node */
            node?: (Long|null);

            /** Attributes mode */
            mode?: (number|null);

            /** Attributes uid */
            uid?: (number|null);

            /** Attributes gid */
            gid?: (number|null);

            /** Attributes modifyNs */
            modifyNs?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Attributes. */
        type $Shape = afterimage.Attributes.$Properties;
    }

    /**
     * Properties of a Xattr.
     * @deprecated Use afterimage.Xattr.$Properties instead.
     */
    interface IXattr extends afterimage.Xattr.$Properties {
    }

    /** Represents a Xattr. */
    class Xattr {

        /**
         * Constructs a new Xattr.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Xattr.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Xattr node. */
        node: Long;

        /** Xattr key. */
        key: Uint8Array;

        /** Xattr value. */
        value: Uint8Array;

        /**
         * Encodes the specified Xattr message. Does not implicitly {@link afterimage.Xattr.verify|verify} messages.
         * @param m Xattr message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Xattr.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Xattr message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Xattr & afterimage.Xattr.$Shape} Xattr
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Xattr & afterimage.Xattr.$Shape;
    }

    namespace Xattr {

        /** Properties of a Xattr. */
        interface $Properties {

            /** Xattr node */
            node?: (Long|null);

            /** Xattr key */
            key?: (Uint8Array|null);

            /** Xattr value */
            value?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Xattr. */
        type $Shape = afterimage.Xattr.$Properties;
    }

    /**
     * Properties of an Empty.
     * @deprecated Use afterimage.Empty.$Properties instead.
     */
    interface IEmpty extends afterimage.Empty.$Properties {
    }

    /** Represents an Empty. */
    class Empty {

        /**
         * Constructs a new Empty.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Empty.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified Empty message. Does not implicitly {@link afterimage.Empty.verify|verify} messages.
         * @param m Empty message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Empty.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Empty message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Empty & afterimage.Empty.$Shape} Empty
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Empty & afterimage.Empty.$Shape;
    }

    namespace Empty {

        /** Properties of an Empty. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Empty. */
        type $Shape = afterimage.Empty.$Properties;
    }

    /**
     * Properties of an Edge.
     * @deprecated Use afterimage.Edge.$Properties instead.
     */
    interface IEdge extends afterimage.Edge.$Properties {
    }

    /** Represents an Edge. */
    class Edge {

        /**
         * Constructs a new Edge.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Edge.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Edge end. */
        end: boolean;

        /**
         * Encodes the specified Edge message. Does not implicitly {@link afterimage.Edge.verify|verify} messages.
         * @param m Edge message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Edge.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Edge message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Edge & afterimage.Edge.$Shape} Edge
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Edge & afterimage.Edge.$Shape;
    }

    namespace Edge {

        /** Properties of an Edge. */
        interface $Properties {

            /** Edge end */
            end?: (boolean|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Edge. */
        type $Shape = afterimage.Edge.$Properties;
    }

    /**
     * Properties of a Gap.
     * @deprecated Use afterimage.Gap.$Properties instead.
     */
    interface IGap extends afterimage.Gap.$Properties {
    }

    /** Represents a Gap. */
    class Gap {

        /**
         * Constructs a new Gap.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Gap.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Gap close. */
        close: boolean;

        /** Gap gap. */
        gap: Long;

        /** Gap unknown. */
        unknown: boolean;

        /** Gap cause. */
        cause: string;

        /** Gap sinceNs. */
        sinceNs: Long;

        /**
         * Encodes the specified Gap message. Does not implicitly {@link afterimage.Gap.verify|verify} messages.
         * @param m Gap message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Gap.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Gap message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Gap & afterimage.Gap.$Shape} Gap
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Gap & afterimage.Gap.$Shape;
    }

    namespace Gap {

        /** Properties of a Gap. */
        interface $Properties {

            /** Gap close */
            close?: (boolean|null);

            /** Gap gap */
            gap?: (Long|null);

            /** Gap unknown */
            unknown?: (boolean|null);

            /** Gap cause */
            cause?: (string|null);

            /** Gap sinceNs */
            sinceNs?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Gap. */
        type $Shape = afterimage.Gap.$Properties;
    }

    /**
     * Properties of a Settled.
     * @deprecated Use afterimage.Settled.$Properties instead.
     */
    interface ISettled extends afterimage.Settled.$Properties {
    }

    /** Represents a Settled. */
    class Settled {

        /**
         * Constructs a new Settled.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Settled.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Settled sinceNs. */
        sinceNs: Long;

        /**
         * Encodes the specified Settled message. Does not implicitly {@link afterimage.Settled.verify|verify} messages.
         * @param m Settled message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Settled.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Settled message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Settled & afterimage.Settled.$Shape} Settled
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Settled & afterimage.Settled.$Shape;
    }

    namespace Settled {

        /** Properties of a Settled. */
        interface $Properties {

            /** Settled sinceNs */
            sinceNs?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Settled. */
        type $Shape = afterimage.Settled.$Properties;
    }

    /**
     * Properties of a Mark.
     * @deprecated Use afterimage.Mark.$Properties instead.
     */
    interface IMark extends afterimage.Mark.$Properties {
    }

    /** Represents a Mark. */
    class Mark {

        /**
         * Constructs a new Mark.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Mark.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Mark name. */
        name: string;

        /**
         * Encodes the specified Mark message. Does not implicitly {@link afterimage.Mark.verify|verify} messages.
         * @param m Mark message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Mark.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Mark message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Mark & afterimage.Mark.$Shape} Mark
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Mark & afterimage.Mark.$Shape;
    }

    namespace Mark {

        /** Properties of a Mark. */
        interface $Properties {

            /** Mark name */
            name?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Mark. */
        type $Shape = afterimage.Mark.$Properties;
    }

    /**
     * Properties of a ClockStep.
     * @deprecated Use afterimage.ClockStep.$Properties instead.
     */
    interface IClockStep extends afterimage.ClockStep.$Properties {
    }

    /** Represents a ClockStep. */
    class ClockStep {

        /**
         * Constructs a new ClockStep.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.ClockStep.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ClockStep stepNs. */
        stepNs: Long;

        /**
         * Encodes the specified ClockStep message. Does not implicitly {@link afterimage.ClockStep.verify|verify} messages.
         * @param m ClockStep message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.ClockStep.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ClockStep message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.ClockStep & afterimage.ClockStep.$Shape} ClockStep
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.ClockStep & afterimage.ClockStep.$Shape;
    }

    namespace ClockStep {

        /** Properties of a ClockStep. */
        interface $Properties {

            /** ClockStep stepNs */
            stepNs?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a ClockStep. */
        type $Shape = afterimage.ClockStep.$Properties;
    }

    /**
     * Properties of a DurableEdge.
     * @deprecated Use afterimage.DurableEdge.$Properties instead.
     */
    interface IDurableEdge extends afterimage.DurableEdge.$Properties {
    }

    /** Represents a DurableEdge. */
    class DurableEdge {

        /**
         * Constructs a new DurableEdge.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.DurableEdge.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** DurableEdge node. */
        node: Long;

        /**
         * Encodes the specified DurableEdge message. Does not implicitly {@link afterimage.DurableEdge.verify|verify} messages.
         * @param m DurableEdge message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.DurableEdge.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a DurableEdge message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.DurableEdge & afterimage.DurableEdge.$Shape} DurableEdge
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.DurableEdge & afterimage.DurableEdge.$Shape;
    }

    namespace DurableEdge {

        /** Properties of a DurableEdge. */
        interface $Properties {

            /** DurableEdge node */
            node?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a DurableEdge. */
        type $Shape = afterimage.DurableEdge.$Properties;
    }

    /**
     * Properties of a VolumeDefinition.
     * @deprecated Use afterimage.VolumeDefinition.$Properties instead.
     */
    interface IVolumeDefinition extends afterimage.VolumeDefinition.$Properties {
    }

    /** Represents a VolumeDefinition. */
    class VolumeDefinition {

        /**
         * Constructs a new VolumeDefinition.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.VolumeDefinition.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** VolumeDefinition name. */
        name: string;

        /** VolumeDefinition device. */
        device: boolean;

        /** VolumeDefinition path. */
        path: Uint8Array;

        /** VolumeDefinition exact. */
        exact: boolean;

        /** VolumeDefinition platform. */
        platform: string;

        /**
         * Encodes the specified VolumeDefinition message. Does not implicitly {@link afterimage.VolumeDefinition.verify|verify} messages.
         * @param m VolumeDefinition message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.VolumeDefinition.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a VolumeDefinition message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.VolumeDefinition & afterimage.VolumeDefinition.$Shape} VolumeDefinition
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.VolumeDefinition & afterimage.VolumeDefinition.$Shape;
    }

    namespace VolumeDefinition {

        /** Properties of a VolumeDefinition. */
        interface $Properties {

            /** VolumeDefinition name */
            name?: (string|null);

            /** VolumeDefinition device */
            device?: (boolean|null);

            /** VolumeDefinition path */
            path?: (Uint8Array|null);

            /** VolumeDefinition exact */
            exact?: (boolean|null);

            /** VolumeDefinition platform */
            platform?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a VolumeDefinition. */
        type $Shape = afterimage.VolumeDefinition.$Properties;
    }

    /**
     * Properties of a VolumeRetired.
     * @deprecated Use afterimage.VolumeRetired.$Properties instead.
     */
    interface IVolumeRetired extends afterimage.VolumeRetired.$Properties {
    }

    /** Represents a VolumeRetired. */
    class VolumeRetired {

        /**
         * Constructs a new VolumeRetired.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.VolumeRetired.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** VolumeRetired cause. */
        cause: string;

        /**
         * Encodes the specified VolumeRetired message. Does not implicitly {@link afterimage.VolumeRetired.verify|verify} messages.
         * @param m VolumeRetired message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.VolumeRetired.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a VolumeRetired message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.VolumeRetired & afterimage.VolumeRetired.$Shape} VolumeRetired
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.VolumeRetired & afterimage.VolumeRetired.$Shape;
    }

    namespace VolumeRetired {

        /** Properties of a VolumeRetired. */
        interface $Properties {

            /** VolumeRetired cause */
            cause?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a VolumeRetired. */
        type $Shape = afterimage.VolumeRetired.$Properties;
    }

    /**
     * Properties of an EnrolRequest.
     * @deprecated Use afterimage.EnrolRequest.$Properties instead.
     */
    interface IEnrolRequest extends afterimage.EnrolRequest.$Properties {
    }

    /** Represents an EnrolRequest. */
    class EnrolRequest {

        /**
         * Constructs a new EnrolRequest.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.EnrolRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** EnrolRequest token. */
        token: string;

        /** EnrolRequest certificateRequestDer. */
        certificateRequestDer: Uint8Array;

        /** EnrolRequest platform. */
        platform: string;

        /** EnrolRequest agentVersion. */
        agentVersion: string;

        /**
         * Encodes the specified EnrolRequest message. Does not implicitly {@link afterimage.EnrolRequest.verify|verify} messages.
         * @param m EnrolRequest message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.EnrolRequest.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an EnrolRequest message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.EnrolRequest & afterimage.EnrolRequest.$Shape} EnrolRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.EnrolRequest & afterimage.EnrolRequest.$Shape;
    }

    namespace EnrolRequest {

        /** Properties of an EnrolRequest. */
        interface $Properties {

            /** EnrolRequest token */
            token?: (string|null);

            /** EnrolRequest certificateRequestDer */
            certificateRequestDer?: (Uint8Array|null);

            /** EnrolRequest platform */
            platform?: (string|null);

            /** EnrolRequest agentVersion */
            agentVersion?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an EnrolRequest. */
        type $Shape = afterimage.EnrolRequest.$Properties;
    }

    /**
     * Properties of an EnrolReply.
     * @deprecated Use afterimage.EnrolReply.$Properties instead.
     */
    interface IEnrolReply extends afterimage.EnrolReply.$Properties {
    }

    /** Represents an EnrolReply. */
    class EnrolReply {

        /**
         * Constructs a new EnrolReply.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.EnrolReply.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** EnrolReply host. */
        host: string;

        /** EnrolReply role. */
        role: string;

        /** EnrolReply journal. */
        journal: Uint8Array;

        /** EnrolReply certificatePem. */
        certificatePem: string;

        /** EnrolReply caPem. */
        caPem: string;

        /**
         * Encodes the specified EnrolReply message. Does not implicitly {@link afterimage.EnrolReply.verify|verify} messages.
         * @param m EnrolReply message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.EnrolReply.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an EnrolReply message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.EnrolReply & afterimage.EnrolReply.$Shape} EnrolReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.EnrolReply & afterimage.EnrolReply.$Shape;
    }

    namespace EnrolReply {

        /** Properties of an EnrolReply. */
        interface $Properties {

            /** EnrolReply host */
            host?: (string|null);

            /** EnrolReply role */
            role?: (string|null);

            /** EnrolReply journal */
            journal?: (Uint8Array|null);

            /** EnrolReply certificatePem */
            certificatePem?: (string|null);

            /** EnrolReply caPem */
            caPem?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an EnrolReply. */
        type $Shape = afterimage.EnrolReply.$Properties;
    }

    /**
     * Properties of a RenewRequest.
     * @deprecated Use afterimage.RenewRequest.$Properties instead.
     */
    interface IRenewRequest extends afterimage.RenewRequest.$Properties {
    }

    /** Represents a RenewRequest. */
    class RenewRequest {

        /**
         * Constructs a new RenewRequest.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RenewRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RenewRequest certificateRequestDer. */
        certificateRequestDer: Uint8Array;

        /**
         * Encodes the specified RenewRequest message. Does not implicitly {@link afterimage.RenewRequest.verify|verify} messages.
         * @param m RenewRequest message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RenewRequest.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RenewRequest message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RenewRequest & afterimage.RenewRequest.$Shape} RenewRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RenewRequest & afterimage.RenewRequest.$Shape;
    }

    namespace RenewRequest {

        /** Properties of a RenewRequest. */
        interface $Properties {

            /** RenewRequest certificateRequestDer */
            certificateRequestDer?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RenewRequest. */
        type $Shape = afterimage.RenewRequest.$Properties;
    }

    /**
     * Properties of an AgentMessage.
     * @deprecated Use afterimage.AgentMessage.$Properties instead.
     */
    interface IAgentMessage extends afterimage.AgentMessage.$Properties {
    }

    /** Represents an AgentMessage. */
    class AgentMessage {

        /**
         * Constructs a new AgentMessage.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.AgentMessage.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** AgentMessage hello. */
        hello?: (afterimage.Hello.$Properties|null);

        /** AgentMessage frame. */
        frame?: (afterimage.FrameMessage.$Properties|null);

        /** AgentMessage report. */
        report?: (afterimage.Report.$Properties|null);

        /** AgentMessage message. */
        message?: ("hello"|"frame"|"report");

        /**
         * Encodes the specified AgentMessage message. Does not implicitly {@link afterimage.AgentMessage.verify|verify} messages.
         * @param m AgentMessage message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.AgentMessage.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an AgentMessage message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.AgentMessage & afterimage.AgentMessage.$Shape} AgentMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.AgentMessage & afterimage.AgentMessage.$Shape;
    }

    namespace AgentMessage {

        /** Properties of an AgentMessage. */
        interface $Properties {

            /** AgentMessage hello */
            hello?: (afterimage.Hello.$Properties|null);

            /** AgentMessage frame */
            frame?: (afterimage.FrameMessage.$Properties|null);

            /** AgentMessage report */
            report?: (afterimage.Report.$Properties|null);

            /** AgentMessage message */
            message?: ("hello"|"frame"|"report");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of an AgentMessage. */
        type $Shape = {
          hello?: afterimage.Hello.$Shape|null;
          frame?: afterimage.FrameMessage.$Shape|null;
          report?: afterimage.Report.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message?: undefined; hello?: null; frame?: null; report?: null }|{ message?: "hello"; hello: afterimage.Hello.$Shape; frame?: null; report?: null }|{ message?: "frame"; hello?: null; frame: afterimage.FrameMessage.$Shape; report?: null }|{ message?: "report"; hello?: null; frame?: null; report: afterimage.Report.$Shape })
        );
    }

    /**
     * Properties of a Hello.
     * @deprecated Use afterimage.Hello.$Properties instead.
     */
    interface IHello extends afterimage.Hello.$Properties {
    }

    /** Represents a Hello. */
    class Hello {

        /**
         * Constructs a new Hello.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Hello.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Hello protocolVersion. */
        protocolVersion: number;

        /** Hello journal. */
        journal: Uint8Array;

        /** Hello agentVersion. */
        agentVersion: string;

        /** Hello platform. */
        platform: string;

        /** Hello heldFrom. */
        heldFrom: Long;

        /** Hello capturedThrough. */
        capturedThrough: Long;

        /**
         * Encodes the specified Hello message. Does not implicitly {@link afterimage.Hello.verify|verify} messages.
         * @param m Hello message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Hello.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Hello & afterimage.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Hello & afterimage.Hello.$Shape;
    }

    namespace Hello {

        /** Properties of a Hello. */
        interface $Properties {

            /** Hello protocolVersion */
            protocolVersion?: (number|null);

            /** Hello journal */
            journal?: (Uint8Array|null);

            /** Hello agentVersion */
            agentVersion?: (string|null);

            /** Hello platform */
            platform?: (string|null);

            /** Hello heldFrom */
            heldFrom?: (Long|null);

            /** Hello capturedThrough */
            capturedThrough?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Hello. */
        type $Shape = afterimage.Hello.$Properties;
    }

    /**
     * Properties of a FrameMessage.
     * @deprecated Use afterimage.FrameMessage.$Properties instead.
     */
    interface IFrameMessage extends afterimage.FrameMessage.$Properties {
    }

    /** Represents a FrameMessage. */
    class FrameMessage {

        /**
         * Constructs a new FrameMessage.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.FrameMessage.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FrameMessage frame. */
        frame: Uint8Array;

        /**
         * Encodes the specified FrameMessage message. Does not implicitly {@link afterimage.FrameMessage.verify|verify} messages.
         * @param m FrameMessage message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.FrameMessage.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FrameMessage message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.FrameMessage & afterimage.FrameMessage.$Shape} FrameMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.FrameMessage & afterimage.FrameMessage.$Shape;
    }

    namespace FrameMessage {

        /** Properties of a FrameMessage. */
        interface $Properties {

            /** FrameMessage frame */
            frame?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FrameMessage. */
        type $Shape = afterimage.FrameMessage.$Properties;
    }

    /**
     * Properties of a Report.
     * @deprecated Use afterimage.Report.$Properties instead.
     */
    interface IReport extends afterimage.Report.$Properties {
    }

    /** Represents a Report. */
    class Report {

        /**
         * Constructs a new Report.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Report.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Report capturedThrough. */
        capturedThrough: Long;

        /** Report capturedTimeNs. */
        capturedTimeNs: Long;

        /** Report oldestUndurableNs. */
        oldestUndurableNs: Long;

        /** Report undurableBytes. */
        undurableBytes: Long;

        /** Report spoolBytes. */
        spoolBytes: Long;

        /** Report sentNs. */
        sentNs: Long;

        /** Report volumes. */
        volumes: afterimage.VolumeReport.$Properties[];

        /**
         * Encodes the specified Report message. Does not implicitly {@link afterimage.Report.verify|verify} messages.
         * @param m Report message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Report.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Report message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Report & afterimage.Report.$Shape} Report
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Report & afterimage.Report.$Shape;
    }

    namespace Report {

        /** Properties of a Report. */
        interface $Properties {

            /** Report capturedThrough */
            capturedThrough?: (Long|null);

            /** Report capturedTimeNs */
            capturedTimeNs?: (Long|null);

            /** Report oldestUndurableNs */
            oldestUndurableNs?: (Long|null);

            /** Report undurableBytes */
            undurableBytes?: (Long|null);

            /** Report spoolBytes */
            spoolBytes?: (Long|null);

            /** Report sentNs */
            sentNs?: (Long|null);

            /** Report volumes */
            volumes?: (afterimage.VolumeReport.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Report. */
        type $Shape = afterimage.Report.$Properties;
    }

    /**
     * Properties of a VolumeReport.
     * @deprecated Use afterimage.VolumeReport.$Properties instead.
     */
    interface IVolumeReport extends afterimage.VolumeReport.$Properties {
    }

    /** Represents a VolumeReport. */
    class VolumeReport {

        /**
         * Constructs a new VolumeReport.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.VolumeReport.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** VolumeReport volume. */
        volume: number;

        /** VolumeReport label. */
        label: string;

        /** VolumeReport cause. */
        cause: string;

        /** VolumeReport phase. */
        phase: string;

        /** VolumeReport settled. */
        settled: boolean;

        /** VolumeReport gaps. */
        gaps: Long;

        /** VolumeReport reportCount. */
        reportCount: Long;

        /**
         * Encodes the specified VolumeReport message. Does not implicitly {@link afterimage.VolumeReport.verify|verify} messages.
         * @param m VolumeReport message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.VolumeReport.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a VolumeReport message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.VolumeReport & afterimage.VolumeReport.$Shape} VolumeReport
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.VolumeReport & afterimage.VolumeReport.$Shape;
    }

    namespace VolumeReport {

        /** Properties of a VolumeReport. */
        interface $Properties {

            /** VolumeReport volume */
            volume?: (number|null);

            /** VolumeReport label */
            label?: (string|null);

            /** VolumeReport cause */
            cause?: (string|null);

            /** VolumeReport phase */
            phase?: (string|null);

            /** VolumeReport settled */
            settled?: (boolean|null);

            /** VolumeReport gaps */
            gaps?: (Long|null);

            /** VolumeReport reportCount */
            reportCount?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a VolumeReport. */
        type $Shape = afterimage.VolumeReport.$Properties;
    }

    /**
     * Properties of a ReceiverMessage.
     * @deprecated Use afterimage.ReceiverMessage.$Properties instead.
     */
    interface IReceiverMessage extends afterimage.ReceiverMessage.$Properties {
    }

    /** Represents a ReceiverMessage. */
    class ReceiverMessage {

        /**
         * Constructs a new ReceiverMessage.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.ReceiverMessage.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ReceiverMessage welcome. */
        welcome?: (afterimage.Welcome.$Properties|null);

        /** ReceiverMessage durable. */
        durable?: (afterimage.Durable.$Properties|null);

        /** ReceiverMessage applied. */
        applied?: (afterimage.Applied.$Properties|null);

        /** ReceiverMessage state. */
        state?: (afterimage.State.$Properties|null);

        /** ReceiverMessage refused. */
        refused?: (afterimage.Refused.$Properties|null);

        /** ReceiverMessage message. */
        message?: ("welcome"|"durable"|"applied"|"state"|"refused");

        /**
         * Encodes the specified ReceiverMessage message. Does not implicitly {@link afterimage.ReceiverMessage.verify|verify} messages.
         * @param m ReceiverMessage message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.ReceiverMessage.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ReceiverMessage message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.ReceiverMessage & afterimage.ReceiverMessage.$Shape} ReceiverMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.ReceiverMessage & afterimage.ReceiverMessage.$Shape;
    }

    namespace ReceiverMessage {

        /** Properties of a ReceiverMessage. */
        interface $Properties {

            /** ReceiverMessage welcome */
            welcome?: (afterimage.Welcome.$Properties|null);

            /** ReceiverMessage durable */
            durable?: (afterimage.Durable.$Properties|null);

            /** ReceiverMessage applied */
            applied?: (afterimage.Applied.$Properties|null);

            /** ReceiverMessage state */
            state?: (afterimage.State.$Properties|null);

            /** ReceiverMessage refused */
            refused?: (afterimage.Refused.$Properties|null);

            /** ReceiverMessage message */
            message?: ("welcome"|"durable"|"applied"|"state"|"refused");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a ReceiverMessage. */
        type $Shape = {
          welcome?: afterimage.Welcome.$Shape|null;
          durable?: afterimage.Durable.$Shape|null;
          applied?: afterimage.Applied.$Shape|null;
          state?: afterimage.State.$Shape|null;
          refused?: afterimage.Refused.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message?: undefined; welcome?: null; durable?: null; applied?: null; state?: null; refused?: null }|{ message?: "welcome"; welcome: afterimage.Welcome.$Shape; durable?: null; applied?: null; state?: null; refused?: null }|{ message?: "durable"; welcome?: null; durable: afterimage.Durable.$Shape; applied?: null; state?: null; refused?: null }|{ message?: "applied"; welcome?: null; durable?: null; applied: afterimage.Applied.$Shape; state?: null; refused?: null }|{ message?: "state"; welcome?: null; durable?: null; applied?: null; state: afterimage.State.$Shape; refused?: null }|{ message?: "refused"; welcome?: null; durable?: null; applied?: null; state?: null; refused: afterimage.Refused.$Shape })
        );
    }

    /**
     * Properties of a Welcome.
     * @deprecated Use afterimage.Welcome.$Properties instead.
     */
    interface IWelcome extends afterimage.Welcome.$Properties {
    }

    /** Represents a Welcome. */
    class Welcome {

        /**
         * Constructs a new Welcome.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Welcome.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Welcome protocolVersion. */
        protocolVersion: number;

        /** Welcome durableThrough. */
        durableThrough: Long;

        /** Welcome digest. */
        digest: Uint8Array;

        /** Welcome lastTimeNs. */
        lastTimeNs: Long;

        /** Welcome appliedThrough. */
        appliedThrough: Long;

        /** Welcome windowBytes. */
        windowBytes: Long;

        /** Welcome lastVolume. */
        lastVolume: number;

        /** Welcome liveVolumes. */
        liveVolumes: number[];

        /**
         * Encodes the specified Welcome message. Does not implicitly {@link afterimage.Welcome.verify|verify} messages.
         * @param m Welcome message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Welcome.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Welcome message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Welcome & afterimage.Welcome.$Shape} Welcome
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Welcome & afterimage.Welcome.$Shape;
    }

    namespace Welcome {

        /** Properties of a Welcome. */
        interface $Properties {

            /** Welcome protocolVersion */
            protocolVersion?: (number|null);

            /** Welcome durableThrough */
            durableThrough?: (Long|null);

            /** Welcome digest */
            digest?: (Uint8Array|null);

            /** Welcome lastTimeNs */
            lastTimeNs?: (Long|null);

            /** Welcome appliedThrough */
            appliedThrough?: (Long|null);

            /** Welcome windowBytes */
            windowBytes?: (Long|null);

            /** Welcome lastVolume */
            lastVolume?: (number|null);

            /** Welcome liveVolumes */
            liveVolumes?: (number[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Welcome. */
        type $Shape = afterimage.Welcome.$Properties;
    }

    /**
     * Properties of a Durable.
     * @deprecated Use afterimage.Durable.$Properties instead.
     */
    interface IDurable extends afterimage.Durable.$Properties {
    }

    /** Represents a Durable. */
    class Durable {

        /**
         * Constructs a new Durable.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Durable.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Durable through. */
        through: Long;

        /**
         * Encodes the specified Durable message. Does not implicitly {@link afterimage.Durable.verify|verify} messages.
         * @param m Durable message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Durable.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Durable message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Durable & afterimage.Durable.$Shape} Durable
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Durable & afterimage.Durable.$Shape;
    }

    namespace Durable {

        /** Properties of a Durable. */
        interface $Properties {

            /** Durable through */
            through?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Durable. */
        type $Shape = afterimage.Durable.$Properties;
    }

    /**
     * Properties of an Applied.
     * @deprecated Use afterimage.Applied.$Properties instead.
     */
    interface IApplied extends afterimage.Applied.$Properties {
    }

    /** Represents an Applied. */
    class Applied {

        /**
         * Constructs a new Applied.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Applied.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Applied through. */
        through: Long;

        /**
         * Encodes the specified Applied message. Does not implicitly {@link afterimage.Applied.verify|verify} messages.
         * @param m Applied message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Applied.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Applied message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Applied & afterimage.Applied.$Shape} Applied
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Applied & afterimage.Applied.$Shape;
    }

    namespace Applied {

        /** Properties of an Applied. */
        interface $Properties {

            /** Applied through */
            through?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Applied. */
        type $Shape = afterimage.Applied.$Properties;
    }

    /**
     * Properties of a State.
     * @deprecated Use afterimage.State.$Properties instead.
     */
    interface IState extends afterimage.State.$Properties {
    }

    /** Represents a State. */
    class State {

        /**
         * Constructs a new State.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.State.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** State kind. */
        kind: afterimage.State.Kind;

        /** State message. */
        message: string;

        /**
         * Encodes the specified State message. Does not implicitly {@link afterimage.State.verify|verify} messages.
         * @param m State message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.State.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a State message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.State & afterimage.State.$Shape} State
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.State & afterimage.State.$Shape;
    }

    namespace State {

        /** Properties of a State. */
        interface $Properties {

            /** State kind */
            kind?: (afterimage.State.Kind|null);

            /** State message */
            message?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a State. */
        type $Shape = afterimage.State.$Properties;

        /** Kind enum. */
        enum Kind {

            /** OK value */
            OK = 0,

            /** DISK_FULL value */
            DISK_FULL = 1,

            /** QUOTA value */
            QUOTA = 2
        }
    }

    /**
     * Properties of a Refused.
     * @deprecated Use afterimage.Refused.$Properties instead.
     */
    interface IRefused extends afterimage.Refused.$Properties {
    }

    /** Represents a Refused. */
    class Refused {

        /**
         * Constructs a new Refused.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.Refused.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Refused code. */
        code: string;

        /** Refused message. */
        message: string;

        /**
         * Encodes the specified Refused message. Does not implicitly {@link afterimage.Refused.verify|verify} messages.
         * @param m Refused message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.Refused.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Refused message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.Refused & afterimage.Refused.$Shape} Refused
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.Refused & afterimage.Refused.$Shape;
    }

    namespace Refused {

        /** Properties of a Refused. */
        interface $Properties {

            /** Refused code */
            code?: (string|null);

            /** Refused message */
            message?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Refused. */
        type $Shape = afterimage.Refused.$Properties;
    }

    /**
     * Properties of a ReadFramesRequest.
     * @deprecated Use afterimage.ReadFramesRequest.$Properties instead.
     */
    interface IReadFramesRequest extends afterimage.ReadFramesRequest.$Properties {
    }

    /** Represents a ReadFramesRequest. */
    class ReadFramesRequest {

        /**
         * Constructs a new ReadFramesRequest.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.ReadFramesRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ReadFramesRequest after. */
        after: Long;

        /**
         * Encodes the specified ReadFramesRequest message. Does not implicitly {@link afterimage.ReadFramesRequest.verify|verify} messages.
         * @param m ReadFramesRequest message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.ReadFramesRequest.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ReadFramesRequest message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.ReadFramesRequest & afterimage.ReadFramesRequest.$Shape} ReadFramesRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.ReadFramesRequest & afterimage.ReadFramesRequest.$Shape;
    }

    namespace ReadFramesRequest {

        /** Properties of a ReadFramesRequest. */
        interface $Properties {

            /** ReadFramesRequest after */
            after?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a ReadFramesRequest. */
        type $Shape = afterimage.ReadFramesRequest.$Properties;
    }

    /**
     * Properties of a RestoreRequest.
     * @deprecated Use afterimage.RestoreRequest.$Properties instead.
     */
    interface IRestoreRequest extends afterimage.RestoreRequest.$Properties {
    }

    /** Represents a RestoreRequest. */
    class RestoreRequest {

        /**
         * Constructs a new RestoreRequest.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestoreRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestoreRequest host. */
        host: string;

        /** RestoreRequest volume. */
        volume: string;

        /** RestoreRequest at. */
        at: string;

        /** RestoreRequest paths. */
        paths: Uint8Array[];

        /** RestoreRequest exactOnly. */
        exactOnly: boolean;

        /** RestoreRequest planOnly. */
        planOnly: boolean;

        /**
         * Encodes the specified RestoreRequest message. Does not implicitly {@link afterimage.RestoreRequest.verify|verify} messages.
         * @param m RestoreRequest message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestoreRequest.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestoreRequest message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestoreRequest & afterimage.RestoreRequest.$Shape} RestoreRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestoreRequest & afterimage.RestoreRequest.$Shape;
    }

    namespace RestoreRequest {

        /** Properties of a RestoreRequest. */
        interface $Properties {

            /** RestoreRequest host */
            host?: (string|null);

            /** RestoreRequest volume */
            volume?: (string|null);

            /** RestoreRequest at */
            at?: (string|null);

            /** RestoreRequest paths */
            paths?: (Uint8Array[]|null);

            /** RestoreRequest exactOnly */
            exactOnly?: (boolean|null);

            /** RestoreRequest planOnly */
            planOnly?: (boolean|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RestoreRequest. */
        type $Shape = afterimage.RestoreRequest.$Properties;
    }

    /**
     * Properties of a RestoreMessage.
     * @deprecated Use afterimage.RestoreMessage.$Properties instead.
     */
    interface IRestoreMessage extends afterimage.RestoreMessage.$Properties {
    }

    /** Represents a RestoreMessage. */
    class RestoreMessage {

        /**
         * Constructs a new RestoreMessage.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestoreMessage.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestoreMessage head. */
        head?: (afterimage.RestoreHead.$Properties|null);

        /** RestoreMessage entry. */
        entry?: (afterimage.RestoreEntry.$Properties|null);

        /** RestoreMessage piece. */
        piece?: (afterimage.RestorePiece.$Properties|null);

        /** RestoreMessage end. */
        end?: (afterimage.RestoreEnd.$Properties|null);

        /** RestoreMessage message. */
        message?: ("head"|"entry"|"piece"|"end");

        /**
         * Encodes the specified RestoreMessage message. Does not implicitly {@link afterimage.RestoreMessage.verify|verify} messages.
         * @param m RestoreMessage message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestoreMessage.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestoreMessage message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestoreMessage & afterimage.RestoreMessage.$Shape} RestoreMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestoreMessage & afterimage.RestoreMessage.$Shape;
    }

    namespace RestoreMessage {

        /** Properties of a RestoreMessage. */
        interface $Properties {

            /** RestoreMessage head */
            head?: (afterimage.RestoreHead.$Properties|null);

            /** RestoreMessage entry */
            entry?: (afterimage.RestoreEntry.$Properties|null);

            /** RestoreMessage piece */
            piece?: (afterimage.RestorePiece.$Properties|null);

            /** RestoreMessage end */
            end?: (afterimage.RestoreEnd.$Properties|null);

            /** RestoreMessage message */
            message?: ("head"|"entry"|"piece"|"end");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a RestoreMessage. */
        type $Shape = {
          head?: afterimage.RestoreHead.$Shape|null;
          entry?: afterimage.RestoreEntry.$Shape|null;
          piece?: afterimage.RestorePiece.$Shape|null;
          end?: afterimage.RestoreEnd.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message?: undefined; head?: null; entry?: null; piece?: null; end?: null }|{ message?: "head"; head: afterimage.RestoreHead.$Shape; entry?: null; piece?: null; end?: null }|{ message?: "entry"; head?: null; entry: afterimage.RestoreEntry.$Shape; piece?: null; end?: null }|{ message?: "piece"; head?: null; entry?: null; piece: afterimage.RestorePiece.$Shape; end?: null }|{ message?: "end"; head?: null; entry?: null; piece?: null; end: afterimage.RestoreEnd.$Shape })
        );
    }

    /**
     * Properties of a RestoreHead.
     * @deprecated Use afterimage.RestoreHead.$Properties instead.
     */
    interface IRestoreHead extends afterimage.RestoreHead.$Properties {
    }

    /** Represents a RestoreHead. */
    class RestoreHead {

        /**
         * Constructs a new RestoreHead.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestoreHead.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestoreHead volume. */
        volume: string;

        /** RestoreHead sequence. */
        sequence: Long;

        /** RestoreHead timeNs. */
        timeNs: Long;

        /** RestoreHead label. */
        label: string;

        /** RestoreHead cause. */
        cause: string;

        /** RestoreHead settled. */
        settled: boolean;

        /** RestoreHead advice. */
        advice: string[];

        /** RestoreHead entries. */
        entries: Long;

        /** RestoreHead bytes. */
        bytes: Long;

        /** RestoreHead platform. */
        platform: string;

        /**
         * Encodes the specified RestoreHead message. Does not implicitly {@link afterimage.RestoreHead.verify|verify} messages.
         * @param m RestoreHead message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestoreHead.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestoreHead message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestoreHead & afterimage.RestoreHead.$Shape} RestoreHead
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestoreHead & afterimage.RestoreHead.$Shape;
    }

    namespace RestoreHead {

        /** Properties of a RestoreHead. */
        interface $Properties {

            /** RestoreHead volume */
            volume?: (string|null);

            /** RestoreHead sequence */
            sequence?: (Long|null);

            /** RestoreHead timeNs */
            timeNs?: (Long|null);

            /** RestoreHead label */
            label?: (string|null);

            /** RestoreHead cause */
            cause?: (string|null);

            /** RestoreHead settled */
            settled?: (boolean|null);

            /** RestoreHead advice */
            advice?: (string[]|null);

            /** RestoreHead entries */
            entries?: (Long|null);

            /** RestoreHead bytes */
            bytes?: (Long|null);

            /** RestoreHead platform */
            platform?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RestoreHead. */
        type $Shape = afterimage.RestoreHead.$Properties;
    }

    /**
     * Properties of a RestoreEntry.
     * @deprecated Use afterimage.RestoreEntry.$Properties instead.
     */
    interface IRestoreEntry extends afterimage.RestoreEntry.$Properties {
    }

    /** Represents a RestoreEntry. */
    class RestoreEntry {

        /**
         * Constructs a new RestoreEntry.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestoreEntry.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestoreEntry index. */
        index: Long;

        /** RestoreEntry path. */
        path: Uint8Array[];

        /** RestoreEntry metadata. */
        metadata?: (afterimage.Metadata.$Properties|null);

        /** RestoreEntry size. */
        size: Long;

        /** RestoreEntry linkOf. */
        linkOf: Long;

        /** RestoreEntry data. */
        data: Long[];

        /**
         * Encodes the specified RestoreEntry message. Does not implicitly {@link afterimage.RestoreEntry.verify|verify} messages.
         * @param m RestoreEntry message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestoreEntry.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestoreEntry message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestoreEntry & afterimage.RestoreEntry.$Shape} RestoreEntry
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestoreEntry & afterimage.RestoreEntry.$Shape;
    }

    namespace RestoreEntry {

        /** Properties of a RestoreEntry. */
        interface $Properties {

            /** RestoreEntry index */
            index?: (Long|null);

            /** RestoreEntry path */
            path?: (Uint8Array[]|null);

            /** RestoreEntry metadata */
            metadata?: (afterimage.Metadata.$Properties|null);

            /** RestoreEntry size */
            size?: (Long|null);

            /** RestoreEntry linkOf */
            linkOf?: (Long|null);

            /** RestoreEntry data */
            data?: (Long[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RestoreEntry. */
        type $Shape = afterimage.RestoreEntry.$Properties;
    }

    /**
     * Properties of a RestorePiece.
     * @deprecated Use afterimage.RestorePiece.$Properties instead.
     */
    interface IRestorePiece extends afterimage.RestorePiece.$Properties {
    }

    /** Represents a RestorePiece. */
    class RestorePiece {

        /**
         * Constructs a new RestorePiece.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestorePiece.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestorePiece index. */
        index: Long;

        /** RestorePiece offset. */
        offset: Long;

        /** RestorePiece data. */
        data: Uint8Array;

        /**
         * Encodes the specified RestorePiece message. Does not implicitly {@link afterimage.RestorePiece.verify|verify} messages.
         * @param m RestorePiece message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestorePiece.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestorePiece message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestorePiece & afterimage.RestorePiece.$Shape} RestorePiece
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestorePiece & afterimage.RestorePiece.$Shape;
    }

    namespace RestorePiece {

        /** Properties of a RestorePiece. */
        interface $Properties {

            /** RestorePiece index */
            index?: (Long|null);

            /** RestorePiece offset */
            offset?: (Long|null);

            /** RestorePiece data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RestorePiece. */
        type $Shape = afterimage.RestorePiece.$Properties;
    }

    /**
     * Properties of a RestoreEnd.
     * @deprecated Use afterimage.RestoreEnd.$Properties instead.
     */
    interface IRestoreEnd extends afterimage.RestoreEnd.$Properties {
    }

    /** Represents a RestoreEnd. */
    class RestoreEnd {

        /**
         * Constructs a new RestoreEnd.
         * @param [p] Properties to set
         */
        constructor(p?: afterimage.RestoreEnd.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RestoreEnd entries. */
        entries: Long;

        /** RestoreEnd bytes. */
        bytes: Long;

        /**
         * Encodes the specified RestoreEnd message. Does not implicitly {@link afterimage.RestoreEnd.verify|verify} messages.
         * @param m RestoreEnd message or plain object to encode
         * @param [w] Writer to encode to
         * @returns Writer
         */
        static encode(m: afterimage.RestoreEnd.$Properties, w?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RestoreEnd message from the specified reader or buffer.
         * @param r Reader or buffer to decode from
         * @param [l] Message length if known beforehand
         * @returns {afterimage.RestoreEnd & afterimage.RestoreEnd.$Shape} RestoreEnd
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(r: ($protobuf.Reader|Uint8Array), l?: number): afterimage.RestoreEnd & afterimage.RestoreEnd.$Shape;
    }

    namespace RestoreEnd {

        /** Properties of a RestoreEnd. */
        interface $Properties {

            /** RestoreEnd entries */
            entries?: (Long|null);

            /** RestoreEnd bytes */
            bytes?: (Long|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RestoreEnd. */
        type $Shape = afterimage.RestoreEnd.$Properties;
    }
}
