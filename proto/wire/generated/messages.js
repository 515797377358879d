/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});

export const afterimage = $root.afterimage = (() => {

    /**
     * Namespace afterimage.
     * @exports afterimage
     * @namespace
     */
    const afterimage = {};

    afterimage.Actor = (function() {

        /**
         * Properties of an Actor.
         * @typedef {Object} afterimage.Actor.$Properties
         * @property {Long|null} [pid] Actor pid
         * @property {Long|null} [startNs] Actor startNs
         * @property {number|null} [uid] Actor uid
         * @property {Uint8Array|null} [command] Actor command
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Actor.
         * @memberof afterimage
         * @interface IActor
         * @augments afterimage.Actor.$Properties
         * @deprecated Use afterimage.Actor.$Properties instead.
         */

        /**
         * Shape of an Actor.
         * @typedef {afterimage.Actor.$Properties} afterimage.Actor.$Shape
         */

        /**
         * Constructs a new Actor.
         * @memberof afterimage
         * @classdesc Represents an Actor.
         * @constructor
         * @param {afterimage.Actor.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Actor = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Actor pid.
         * @member {Long} pid
         * @memberof afterimage.Actor
         * @instance
         */
        Actor.prototype.pid = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Actor startNs.
         * @member {Long} startNs
         * @memberof afterimage.Actor
         * @instance
         */
        Actor.prototype.startNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Actor uid.
         * @member {number} uid
         * @memberof afterimage.Actor
         * @instance
         */
        Actor.prototype.uid = 0;

        /**
         * Actor command.
         * @member {Uint8Array} command
         * @memberof afterimage.Actor
         * @instance
         */
        Actor.prototype.command = $util.newBuffer([]);

        /**
         * Encodes the specified Actor message. Does not implicitly {@link afterimage.Actor.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Actor
         * @static
         * @param {afterimage.Actor.$Properties} m Actor message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Actor.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.pid != null && $Object.hasOwnProperty.call(m, "pid") && (typeof m.pid === "object" ? m.pid.low || m.pid.high : m.pid !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.pid);
            if (m.startNs != null && $Object.hasOwnProperty.call(m, "startNs") && (typeof m.startNs === "object" ? m.startNs.low || m.startNs.high : m.startNs !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.startNs);
            if (m.uid != null && $Object.hasOwnProperty.call(m, "uid") && m.uid !== 0)
                w.uint32(/* id 3, wireType 0 =*/24).uint32(m.uid);
            if (m.command != null && $Object.hasOwnProperty.call(m, "command") && m.command.length)
                w.uint32(/* id 4, wireType 2 =*/34).bytes(m.command);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Actor message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Actor
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Actor & afterimage.Actor.$Shape} Actor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Actor.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Actor();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.pid = v;
                        else
                            delete m.pid;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.startNs = v;
                        else
                            delete m.startNs;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.uid = v;
                        else
                            delete m.uid;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.command = v;
                        else
                            delete m.command;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Actor;
    })();

    afterimage.Change = (function() {

        /**
         * Properties of a Change.
         * @typedef {Object} afterimage.Change.$Properties
         * @property {Long|null} [timeDeltaNs] Change timeDeltaNs
         * @property {number|null} [volume] Change volume
         * @property {number|null} [actor] Change actor
         * @property {afterimage.Actor.$Properties|null} [newActor] Change newActor
         * @property {afterimage.Create.$Properties|null} [create] Change create
         * @property {afterimage.Link.$Properties|null} [link] Change link
         * @property {afterimage.Unlink.$Properties|null} [unlink] Change unlink
         * @property {afterimage.Rename.$Properties|null} [rename] Change rename
         * @property {afterimage.Write.$Properties|null} [write] Change write
         * @property {afterimage.Truncate.$Properties|null} [truncate] Change truncate
         * @property {afterimage.Range.$Properties|null} [punch] Change punch
         * @property {afterimage.Range.$Properties|null} [zero] Change zero
         * @property {afterimage.Clone.$Properties|null} [clone] Change clone
         * @property {afterimage.Attributes.$Properties|null} [attributes] Change attributes
         * @property {afterimage.Xattr.$Properties|null} [xattrSet] Change xattrSet
         * @property {afterimage.Xattr.$Properties|null} [xattrRemove] Change xattrRemove
         * @property {afterimage.Range.$Properties|null} [discard] Change discard
         * @property {afterimage.Empty.$Properties|null} [flush] Change flush
         * @property {afterimage.Edge.$Properties|null} [baseline] Change baseline
         * @property {afterimage.Gap.$Properties|null} [gap] Change gap
         * @property {afterimage.Settled.$Properties|null} [settled] Change settled
         * @property {afterimage.Mark.$Properties|null} [mark] Change mark
         * @property {afterimage.ClockStep.$Properties|null} [clock] Change clock
         * @property {afterimage.DurableEdge.$Properties|null} [durable] Change durable
         * @property {afterimage.VolumeDefinition.$Properties|null} [volumeDefinition] Change volumeDefinition
         * @property {afterimage.VolumeRetired.$Properties|null} [retired] Change retired
         * @property {"create"|"link"|"unlink"|"rename"|"write"|"truncate"|"punch"|"zero"|"clone"|"attributes"|"xattrSet"|"xattrRemove"|"discard"|"flush"|"baseline"|"gap"|"settled"|"mark"|"clock"|"durable"|"volumeDefinition"|"retired"} [body] Change body
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Change.
         * @memberof afterimage
         * @interface IChange
         * @augments afterimage.Change.$Properties
         * @deprecated Use afterimage.Change.$Properties instead.
         */

        /**
         * Narrowed shape of a Change.
         * @typedef {{
         *   timeDeltaNs?: Long|null;
         *   volume?: number|null;
         *   actor?: number|null;
         *   newActor?: afterimage.Actor.$Shape|null;
         *   create?: afterimage.Create.$Shape|null;
         *   link?: afterimage.Link.$Shape|null;
         *   unlink?: afterimage.Unlink.$Shape|null;
         *   rename?: afterimage.Rename.$Shape|null;
         *   write?: afterimage.Write.$Shape|null;
         *   truncate?: afterimage.Truncate.$Shape|null;
         *   punch?: afterimage.Range.$Shape|null;
         *   zero?: afterimage.Range.$Shape|null;
         *   clone?: afterimage.Clone.$Shape|null;
         *   attributes?: afterimage.Attributes.$Shape|null;
         *   xattrSet?: afterimage.Xattr.$Shape|null;
         *   xattrRemove?: afterimage.Xattr.$Shape|null;
         *   discard?: afterimage.Range.$Shape|null;
         *   flush?: afterimage.Empty.$Shape|null;
         *   baseline?: afterimage.Edge.$Shape|null;
         *   gap?: afterimage.Gap.$Shape|null;
         *   settled?: afterimage.Settled.$Shape|null;
         *   mark?: afterimage.Mark.$Shape|null;
         *   clock?: afterimage.ClockStep.$Shape|null;
         *   durable?: afterimage.DurableEdge.$Shape|null;
         *   volumeDefinition?: afterimage.VolumeDefinition.$Shape|null;
         *   retired?: afterimage.VolumeRetired.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ body?: undefined; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "create"; create: afterimage.Create.$Shape; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "link"; create?: null; link: afterimage.Link.$Shape; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "unlink"; create?: null; link?: null; unlink: afterimage.Unlink.$Shape; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "rename"; create?: null; link?: null; unlink?: null; rename: afterimage.Rename.$Shape; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "write"; create?: null; link?: null; unlink?: null; rename?: null; write: afterimage.Write.$Shape; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "truncate"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate: afterimage.Truncate.$Shape; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "punch"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch: afterimage.Range.$Shape; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "zero"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero: afterimage.Range.$Shape; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "clone"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone: afterimage.Clone.$Shape; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "attributes"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes: afterimage.Attributes.$Shape; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "xattrSet"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet: afterimage.Xattr.$Shape; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "xattrRemove"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove: afterimage.Xattr.$Shape; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "discard"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard: afterimage.Range.$Shape; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "flush"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush: afterimage.Empty.$Shape; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "baseline"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline: afterimage.Edge.$Shape; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "gap"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap: afterimage.Gap.$Shape; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "settled"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled: afterimage.Settled.$Shape; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "mark"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark: afterimage.Mark.$Shape; clock?: null; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "clock"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock: afterimage.ClockStep.$Shape; durable?: null; volumeDefinition?: null; retired?: null }|{ body?: "durable"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable: afterimage.DurableEdge.$Shape; volumeDefinition?: null; retired?: null }|{ body?: "volumeDefinition"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition: afterimage.VolumeDefinition.$Shape; retired?: null }|{ body?: "retired"; create?: null; link?: null; unlink?: null; rename?: null; write?: null; truncate?: null; punch?: null; zero?: null; clone?: null; attributes?: null; xattrSet?: null; xattrRemove?: null; discard?: null; flush?: null; baseline?: null; gap?: null; settled?: null; mark?: null; clock?: null; durable?: null; volumeDefinition?: null; retired: afterimage.VolumeRetired.$Shape })
         * )} afterimage.Change.$Shape
         */

        /**
         * Constructs a new Change.
         * @memberof afterimage
         * @classdesc Represents a Change.
         * @constructor
         * @param {afterimage.Change.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Change = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Change timeDeltaNs.
         * @member {Long} timeDeltaNs
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.timeDeltaNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Change volume.
         * @member {number} volume
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.volume = 0;

        /**
         * Change actor.
         * @member {number} actor
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.actor = 0;

        /**
         * Change newActor.
         * @member {afterimage.Actor.$Properties|null|undefined} newActor
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.newActor = null;

        /**
         * Change create.
         * @member {afterimage.Create.$Properties|null|undefined} create
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.create = null;

        /**
         * Change link.
         * @member {afterimage.Link.$Properties|null|undefined} link
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.link = null;

        /**
         * Change unlink.
         * @member {afterimage.Unlink.$Properties|null|undefined} unlink
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.unlink = null;

        /**
         * Change rename.
         * @member {afterimage.Rename.$Properties|null|undefined} rename
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.rename = null;

        /**
         * Change write.
         * @member {afterimage.Write.$Properties|null|undefined} write
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.write = null;

        /**
         * Change truncate.
         * @member {afterimage.Truncate.$Properties|null|undefined} truncate
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.truncate = null;

        /**
         * Change punch.
         * @member {afterimage.Range.$Properties|null|undefined} punch
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.punch = null;

        /**
         * Change zero.
         * @member {afterimage.Range.$Properties|null|undefined} zero
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.zero = null;

        /**
         * Change clone.
         * @member {afterimage.Clone.$Properties|null|undefined} clone
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.clone = null;

        /**
         * Change attributes.
         * @member {afterimage.Attributes.$Properties|null|undefined} attributes
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.attributes = null;

        /**
         * Change xattrSet.
         * @member {afterimage.Xattr.$Properties|null|undefined} xattrSet
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.xattrSet = null;

        /**
         * Change xattrRemove.
         * @member {afterimage.Xattr.$Properties|null|undefined} xattrRemove
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.xattrRemove = null;

        /**
         * Change discard.
         * @member {afterimage.Range.$Properties|null|undefined} discard
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.discard = null;

        /**
         * Change flush.
         * @member {afterimage.Empty.$Properties|null|undefined} flush
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.flush = null;

        /**
         * Change baseline.
         * @member {afterimage.Edge.$Properties|null|undefined} baseline
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.baseline = null;

        /**
         * Change gap.
         * @member {afterimage.Gap.$Properties|null|undefined} gap
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.gap = null;

        /**
         * Change settled.
         * @member {afterimage.Settled.$Properties|null|undefined} settled
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.settled = null;

        /**
         * Change mark.
         * @member {afterimage.Mark.$Properties|null|undefined} mark
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.mark = null;

        /**
         * Change clock.
         * @member {afterimage.ClockStep.$Properties|null|undefined} clock
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.clock = null;

        /**
         * Change durable.
         * @member {afterimage.DurableEdge.$Properties|null|undefined} durable
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.durable = null;

        /**
         * Change volumeDefinition.
         * @member {afterimage.VolumeDefinition.$Properties|null|undefined} volumeDefinition
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.volumeDefinition = null;

        /**
         * Change retired.
         * @member {afterimage.VolumeRetired.$Properties|null|undefined} retired
         * @memberof afterimage.Change
         * @instance
         */
        Change.prototype.retired = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * Change body.
         * @member {"create"|"link"|"unlink"|"rename"|"write"|"truncate"|"punch"|"zero"|"clone"|"attributes"|"xattrSet"|"xattrRemove"|"discard"|"flush"|"baseline"|"gap"|"settled"|"mark"|"clock"|"durable"|"volumeDefinition"|"retired"|undefined} body
         * @memberof afterimage.Change
         * @instance
         */
        $Object.defineProperty(Change.prototype, "body", {
            get: $util.oneOfGetter($oneOfFields = ["create", "link", "unlink", "rename", "write", "truncate", "punch", "zero", "clone", "attributes", "xattrSet", "xattrRemove", "discard", "flush", "baseline", "gap", "settled", "mark", "clock", "durable", "volumeDefinition", "retired"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified Change message. Does not implicitly {@link afterimage.Change.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Change
         * @static
         * @param {afterimage.Change.$Properties} m Change message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Change.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.timeDeltaNs != null && $Object.hasOwnProperty.call(m, "timeDeltaNs") && (typeof m.timeDeltaNs === "object" ? m.timeDeltaNs.low || m.timeDeltaNs.high : m.timeDeltaNs !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.timeDeltaNs);
            if (m.volume != null && $Object.hasOwnProperty.call(m, "volume") && m.volume !== 0)
                w.uint32(/* id 2, wireType 0 =*/16).uint32(m.volume);
            if (m.actor != null && $Object.hasOwnProperty.call(m, "actor") && m.actor !== 0)
                w.uint32(/* id 3, wireType 0 =*/24).uint32(m.actor);
            if (m.newActor != null && $Object.hasOwnProperty.call(m, "newActor"))
                $root.afterimage.Actor.encode(m.newActor, w.uint32(/* id 4, wireType 2 =*/34).fork(), q + 1).ldelim();
            if (m.create != null && $Object.hasOwnProperty.call(m, "create"))
                $root.afterimage.Create.encode(m.create, w.uint32(/* id 5, wireType 2 =*/42).fork(), q + 1).ldelim();
            if (m.link != null && $Object.hasOwnProperty.call(m, "link"))
                $root.afterimage.Link.encode(m.link, w.uint32(/* id 6, wireType 2 =*/50).fork(), q + 1).ldelim();
            if (m.unlink != null && $Object.hasOwnProperty.call(m, "unlink"))
                $root.afterimage.Unlink.encode(m.unlink, w.uint32(/* id 7, wireType 2 =*/58).fork(), q + 1).ldelim();
            if (m.rename != null && $Object.hasOwnProperty.call(m, "rename"))
                $root.afterimage.Rename.encode(m.rename, w.uint32(/* id 8, wireType 2 =*/66).fork(), q + 1).ldelim();
            if (m.write != null && $Object.hasOwnProperty.call(m, "write"))
                $root.afterimage.Write.encode(m.write, w.uint32(/* id 9, wireType 2 =*/74).fork(), q + 1).ldelim();
            if (m.truncate != null && $Object.hasOwnProperty.call(m, "truncate"))
                $root.afterimage.Truncate.encode(m.truncate, w.uint32(/* id 10, wireType 2 =*/82).fork(), q + 1).ldelim();
            if (m.punch != null && $Object.hasOwnProperty.call(m, "punch"))
                $root.afterimage.Range.encode(m.punch, w.uint32(/* id 11, wireType 2 =*/90).fork(), q + 1).ldelim();
            if (m.zero != null && $Object.hasOwnProperty.call(m, "zero"))
                $root.afterimage.Range.encode(m.zero, w.uint32(/* id 12, wireType 2 =*/98).fork(), q + 1).ldelim();
            if (m.clone != null && $Object.hasOwnProperty.call(m, "clone"))
                $root.afterimage.Clone.encode(m.clone, w.uint32(/* id 13, wireType 2 =*/106).fork(), q + 1).ldelim();
            if (m.attributes != null && $Object.hasOwnProperty.call(m, "attributes"))
                $root.afterimage.Attributes.encode(m.attributes, w.uint32(/* id 14, wireType 2 =*/114).fork(), q + 1).ldelim();
            if (m.xattrSet != null && $Object.hasOwnProperty.call(m, "xattrSet"))
                $root.afterimage.Xattr.encode(m.xattrSet, w.uint32(/* id 15, wireType 2 =*/122).fork(), q + 1).ldelim();
            if (m.xattrRemove != null && $Object.hasOwnProperty.call(m, "xattrRemove"))
                $root.afterimage.Xattr.encode(m.xattrRemove, w.uint32(/* id 16, wireType 2 =*/130).fork(), q + 1).ldelim();
            if (m.discard != null && $Object.hasOwnProperty.call(m, "discard"))
                $root.afterimage.Range.encode(m.discard, w.uint32(/* id 17, wireType 2 =*/138).fork(), q + 1).ldelim();
            if (m.flush != null && $Object.hasOwnProperty.call(m, "flush"))
                $root.afterimage.Empty.encode(m.flush, w.uint32(/* id 18, wireType 2 =*/146).fork(), q + 1).ldelim();
            if (m.baseline != null && $Object.hasOwnProperty.call(m, "baseline"))
                $root.afterimage.Edge.encode(m.baseline, w.uint32(/* id 19, wireType 2 =*/154).fork(), q + 1).ldelim();
            if (m.gap != null && $Object.hasOwnProperty.call(m, "gap"))
                $root.afterimage.Gap.encode(m.gap, w.uint32(/* id 20, wireType 2 =*/162).fork(), q + 1).ldelim();
            if (m.settled != null && $Object.hasOwnProperty.call(m, "settled"))
                $root.afterimage.Settled.encode(m.settled, w.uint32(/* id 21, wireType 2 =*/170).fork(), q + 1).ldelim();
            if (m.mark != null && $Object.hasOwnProperty.call(m, "mark"))
                $root.afterimage.Mark.encode(m.mark, w.uint32(/* id 22, wireType 2 =*/178).fork(), q + 1).ldelim();
            if (m.clock != null && $Object.hasOwnProperty.call(m, "clock"))
                $root.afterimage.ClockStep.encode(m.clock, w.uint32(/* id 23, wireType 2 =*/186).fork(), q + 1).ldelim();
            if (m.durable != null && $Object.hasOwnProperty.call(m, "durable"))
                $root.afterimage.DurableEdge.encode(m.durable, w.uint32(/* id 24, wireType 2 =*/194).fork(), q + 1).ldelim();
            if (m.volumeDefinition != null && $Object.hasOwnProperty.call(m, "volumeDefinition"))
                $root.afterimage.VolumeDefinition.encode(m.volumeDefinition, w.uint32(/* id 25, wireType 2 =*/202).fork(), q + 1).ldelim();
            if (m.retired != null && $Object.hasOwnProperty.call(m, "retired"))
                $root.afterimage.VolumeRetired.encode(m.retired, w.uint32(/* id 26, wireType 2 =*/210).fork(), q + 1).ldelim();
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Change message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Change
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Change & afterimage.Change.$Shape} Change
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Change.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Change();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.timeDeltaNs = v;
                        else
                            delete m.timeDeltaNs;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.volume = v;
                        else
                            delete m.volume;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.actor = v;
                        else
                            delete m.actor;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        m.newActor = $root.afterimage.Actor.decode(r, r.size(), $undefined, q + 1, m.newActor);
                        continue;
                    }
                case 5: {
                        if (u !== 2)
                            break;
                        m.create = $root.afterimage.Create.decode(r, r.size(), $undefined, q + 1, m.create);
                        m.body = "create";
                        continue;
                    }
                case 6: {
                        if (u !== 2)
                            break;
                        m.link = $root.afterimage.Link.decode(r, r.size(), $undefined, q + 1, m.link);
                        m.body = "link";
                        continue;
                    }
                case 7: {
                        if (u !== 2)
                            break;
                        m.unlink = $root.afterimage.Unlink.decode(r, r.size(), $undefined, q + 1, m.unlink);
                        m.body = "unlink";
                        continue;
                    }
                case 8: {
                        if (u !== 2)
                            break;
                        m.rename = $root.afterimage.Rename.decode(r, r.size(), $undefined, q + 1, m.rename);
                        m.body = "rename";
                        continue;
                    }
                case 9: {
                        if (u !== 2)
                            break;
                        m.write = $root.afterimage.Write.decode(r, r.size(), $undefined, q + 1, m.write);
                        m.body = "write";
                        continue;
                    }
                case 10: {
                        if (u !== 2)
                            break;
                        m.truncate = $root.afterimage.Truncate.decode(r, r.size(), $undefined, q + 1, m.truncate);
                        m.body = "truncate";
                        continue;
                    }
                case 11: {
                        if (u !== 2)
                            break;
                        m.punch = $root.afterimage.Range.decode(r, r.size(), $undefined, q + 1, m.punch);
                        m.body = "punch";
                        continue;
                    }
                case 12: {
                        if (u !== 2)
                            break;
                        m.zero = $root.afterimage.Range.decode(r, r.size(), $undefined, q + 1, m.zero);
                        m.body = "zero";
                        continue;
                    }
                case 13: {
                        if (u !== 2)
                            break;
                        m.clone = $root.afterimage.Clone.decode(r, r.size(), $undefined, q + 1, m.clone);
                        m.body = "clone";
                        continue;
                    }
                case 14: {
                        if (u !== 2)
                            break;
                        m.attributes = $root.afterimage.Attributes.decode(r, r.size(), $undefined, q + 1, m.attributes);
                        m.body = "attributes";
                        continue;
                    }
                case 15: {
                        if (u !== 2)
                            break;
                        m.xattrSet = $root.afterimage.Xattr.decode(r, r.size(), $undefined, q + 1, m.xattrSet);
                        m.body = "xattrSet";
                        continue;
                    }
                case 16: {
                        if (u !== 2)
                            break;
                        m.xattrRemove = $root.afterimage.Xattr.decode(r, r.size(), $undefined, q + 1, m.xattrRemove);
                        m.body = "xattrRemove";
                        continue;
                    }
                case 17: {
                        if (u !== 2)
                            break;
                        m.discard = $root.afterimage.Range.decode(r, r.size(), $undefined, q + 1, m.discard);
                        m.body = "discard";
                        continue;
                    }
                case 18: {
                        if (u !== 2)
                            break;
                        m.flush = $root.afterimage.Empty.decode(r, r.size(), $undefined, q + 1, m.flush);
                        m.body = "flush";
                        continue;
                    }
                case 19: {
                        if (u !== 2)
                            break;
                        m.baseline = $root.afterimage.Edge.decode(r, r.size(), $undefined, q + 1, m.baseline);
                        m.body = "baseline";
                        continue;
                    }
                case 20: {
                        if (u !== 2)
                            break;
                        m.gap = $root.afterimage.Gap.decode(r, r.size(), $undefined, q + 1, m.gap);
                        m.body = "gap";
                        continue;
                    }
                case 21: {
                        if (u !== 2)
                            break;
                        m.settled = $root.afterimage.Settled.decode(r, r.size(), $undefined, q + 1, m.settled);
                        m.body = "settled";
                        continue;
                    }
                case 22: {
                        if (u !== 2)
                            break;
                        m.mark = $root.afterimage.Mark.decode(r, r.size(), $undefined, q + 1, m.mark);
                        m.body = "mark";
                        continue;
                    }
                case 23: {
                        if (u !== 2)
                            break;
                        m.clock = $root.afterimage.ClockStep.decode(r, r.size(), $undefined, q + 1, m.clock);
                        m.body = "clock";
                        continue;
                    }
                case 24: {
                        if (u !== 2)
                            break;
                        m.durable = $root.afterimage.DurableEdge.decode(r, r.size(), $undefined, q + 1, m.durable);
                        m.body = "durable";
                        continue;
                    }
                case 25: {
                        if (u !== 2)
                            break;
                        m.volumeDefinition = $root.afterimage.VolumeDefinition.decode(r, r.size(), $undefined, q + 1, m.volumeDefinition);
                        m.body = "volumeDefinition";
                        continue;
                    }
                case 26: {
                        if (u !== 2)
                            break;
                        m.retired = $root.afterimage.VolumeRetired.decode(r, r.size(), $undefined, q + 1, m.retired);
                        m.body = "retired";
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Change;
    })();

    /**
     * NodeKind enum.
     * @name afterimage.NodeKind
     * @enum {number}
     * @property {number} NODE_KIND_UNSPECIFIED=0 NODE_KIND_UNSPECIFIED value
     * @property {number} FILE=1 FILE value
     * @property {number} DIRECTORY=2 DIRECTORY value
     * @property {number} SYMLINK=3 SYMLINK value
     * @property {number} FIFO=4 FIFO value
     * @property {number} SOCKET=5 SOCKET value
     * @property {number} BLOCK_DEVICE=6 BLOCK_DEVICE value
     * @property {number} CHARACTER_DEVICE=7 CHARACTER_DEVICE value
     */
    afterimage.NodeKind = (function() {
        const valuesById = $Object.create(null), values = $Object.create(valuesById);
        values[valuesById[0] = "NODE_KIND_UNSPECIFIED"] = 0;
        values[valuesById[1] = "FILE"] = 1;
        values[valuesById[2] = "DIRECTORY"] = 2;
        values[valuesById[3] = "SYMLINK"] = 3;
        values[valuesById[4] = "FIFO"] = 4;
        values[valuesById[5] = "SOCKET"] = 5;
        values[valuesById[6] = "BLOCK_DEVICE"] = 6;
        values[valuesById[7] = "CHARACTER_DEVICE"] = 7;
        return values;
    })();

    afterimage.Metadata = (function() {

        /**
         * Properties of a Metadata.
         * @typedef {Object} afterimage.Metadata.$Properties
         * @property {afterimage.NodeKind|null} [nodeKind] Metadata nodeKind
         * @property {number|null} [mode] Metadata mode
         * @property {number|null} [uid] Metadata uid
         * @property {number|null} [gid] Metadata gid
         * @property {Long|null} [modifyNs] Metadata modifyNs
         * @property {number|null} [deviceMajor] Metadata deviceMajor
         * @property {number|null} [deviceMinor] Metadata deviceMinor
         * @property {Uint8Array|null} [target] Metadata target
         * @property {Array.<afterimage.Xattr.$Properties>|null} [xattrs] Metadata xattrs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Metadata.
         * @memberof afterimage
         * @interface IMetadata
         * @augments afterimage.Metadata.$Properties
         * @deprecated Use afterimage.Metadata.$Properties instead.
         */

        /**
         * Shape of a Metadata.
         * @typedef {afterimage.Metadata.$Properties} afterimage.Metadata.$Shape
         */

        /**
         * Constructs a new Metadata.
         * @memberof afterimage
         * @classdesc Represents a Metadata.
         * @constructor
         * @param {afterimage.Metadata.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Metadata = function (p) {
            this.xattrs = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Metadata nodeKind.
         * @member {afterimage.NodeKind} nodeKind
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.nodeKind = 0;

        /**
         * Metadata mode.
         * @member {number} mode
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.mode = 0;

        /**
         * Metadata uid.
         * @member {number} uid
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.uid = 0;

        /**
         * Metadata gid.
         * @member {number} gid
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.gid = 0;

        /**
         * Metadata modifyNs.
         * @member {Long} modifyNs
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.modifyNs = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

        /**
         * Metadata deviceMajor.
         * @member {number} deviceMajor
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.deviceMajor = 0;

        /**
         * Metadata deviceMinor.
         * @member {number} deviceMinor
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.deviceMinor = 0;

        /**
         * Metadata target.
         * @member {Uint8Array} target
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.target = $util.newBuffer([]);

        /**
         * Metadata xattrs.
         * @member {Array.<afterimage.Xattr.$Properties>} xattrs
         * @memberof afterimage.Metadata
         * @instance
         */
        Metadata.prototype.xattrs = $util.emptyArray;

        /**
         * Encodes the specified Metadata message. Does not implicitly {@link afterimage.Metadata.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Metadata
         * @static
         * @param {afterimage.Metadata.$Properties} m Metadata message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Metadata.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.nodeKind != null && $Object.hasOwnProperty.call(m, "nodeKind") && m.nodeKind !== 0)
                w.uint32(/* id 1, wireType 0 =*/8).int32(m.nodeKind);
            if (m.mode != null && $Object.hasOwnProperty.call(m, "mode") && m.mode !== 0)
                w.uint32(/* id 2, wireType 0 =*/16).uint32(m.mode);
            if (m.uid != null && $Object.hasOwnProperty.call(m, "uid") && m.uid !== 0)
                w.uint32(/* id 3, wireType 0 =*/24).uint32(m.uid);
            if (m.gid != null && $Object.hasOwnProperty.call(m, "gid") && m.gid !== 0)
                w.uint32(/* id 4, wireType 0 =*/32).uint32(m.gid);
            if (m.modifyNs != null && $Object.hasOwnProperty.call(m, "modifyNs") && (typeof m.modifyNs === "object" ? m.modifyNs.low || m.modifyNs.high : m.modifyNs !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).sint64(m.modifyNs);
            if (m.deviceMajor != null && $Object.hasOwnProperty.call(m, "deviceMajor") && m.deviceMajor !== 0)
                w.uint32(/* id 6, wireType 0 =*/48).uint32(m.deviceMajor);
            if (m.deviceMinor != null && $Object.hasOwnProperty.call(m, "deviceMinor") && m.deviceMinor !== 0)
                w.uint32(/* id 7, wireType 0 =*/56).uint32(m.deviceMinor);
            if (m.target != null && $Object.hasOwnProperty.call(m, "target") && m.target.length)
                w.uint32(/* id 8, wireType 2 =*/66).bytes(m.target);
            if (m.xattrs != null && m.xattrs.length) {
                for (var i = 0; i < m.xattrs.length; ++i)
                    $root.afterimage.Xattr.encode(m.xattrs[i], w.uint32(/* id 9, wireType 2 =*/74).fork(), q + 1).ldelim();
            }
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Metadata message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Metadata
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Metadata & afterimage.Metadata.$Shape} Metadata
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Metadata.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Metadata();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.int32())
                            m.nodeKind = v;
                        else
                            delete m.nodeKind;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.mode = v;
                        else
                            delete m.mode;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.uid = v;
                        else
                            delete m.uid;
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.gid = v;
                        else
                            delete m.gid;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.sint64()) === "object" ? v.low || v.high : v !== 0)
                            m.modifyNs = v;
                        else
                            delete m.modifyNs;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.deviceMajor = v;
                        else
                            delete m.deviceMajor;
                        continue;
                    }
                case 7: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.deviceMinor = v;
                        else
                            delete m.deviceMinor;
                        continue;
                    }
                case 8: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.target = v;
                        else
                            delete m.target;
                        continue;
                    }
                case 9: {
                        if (u !== 2)
                            break;
                        if (!(m.xattrs && m.xattrs.length))
                            m.xattrs = [];
                        m.xattrs.push($root.afterimage.Xattr.decode(r, r.size(), $undefined, q + 1));
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Metadata;
    })();

    afterimage.Create = (function() {

        /**
         * Properties of a Create.
         * @typedef {Object} afterimage.Create.$Properties
         * @property {Long|null} [node] Create node
         * @property {Long|null} [parent] Create parent
         * @property {Uint8Array|null} [name] Create name
         * @property {afterimage.Metadata.$Properties|null} [metadata] Create metadata
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Create.
         * @memberof afterimage
         * @interface ICreate
         * @augments afterimage.Create.$Properties
         * @deprecated Use afterimage.Create.$Properties instead.
         */

        /**
         * Shape of a Create.
         * @typedef {afterimage.Create.$Properties} afterimage.Create.$Shape
         */

        /**
         * Constructs a new Create.
         * @memberof afterimage
         * @classdesc Represents a Create.
         * @constructor
         * @param {afterimage.Create.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Create = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Create node.
         * @member {Long} node
         * @memberof afterimage.Create
         * @instance
         */
        Create.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Create parent.
         * @member {Long} parent
         * @memberof afterimage.Create
         * @instance
         */
        Create.prototype.parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Create name.
         * @member {Uint8Array} name
         * @memberof afterimage.Create
         * @instance
         */
        Create.prototype.name = $util.newBuffer([]);

        /**
         * Create metadata.
         * @member {afterimage.Metadata.$Properties|null|undefined} metadata
         * @memberof afterimage.Create
         * @instance
         */
        Create.prototype.metadata = null;

        /**
         * Encodes the specified Create message. Does not implicitly {@link afterimage.Create.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Create
         * @static
         * @param {afterimage.Create.$Properties} m Create message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Create.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.parent != null && $Object.hasOwnProperty.call(m, "parent") && (typeof m.parent === "object" ? m.parent.low || m.parent.high : m.parent !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.parent);
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.name);
            if (m.metadata != null && $Object.hasOwnProperty.call(m, "metadata"))
                $root.afterimage.Metadata.encode(m.metadata, w.uint32(/* id 4, wireType 2 =*/34).fork(), q + 1).ldelim();
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Create message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Create
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Create & afterimage.Create.$Shape} Create
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Create.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Create();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.parent = v;
                        else
                            delete m.parent;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        m.metadata = $root.afterimage.Metadata.decode(r, r.size(), $undefined, q + 1, m.metadata);
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Create;
    })();

    afterimage.Link = (function() {

        /**
         * Properties of a Link.
         * @typedef {Object} afterimage.Link.$Properties
         * @property {Long|null} [node] Link node
         * @property {Long|null} [parent] Link parent
         * @property {Uint8Array|null} [name] Link name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Link.
         * @memberof afterimage
         * @interface ILink
         * @augments afterimage.Link.$Properties
         * @deprecated Use afterimage.Link.$Properties instead.
         */

        /**
         * Shape of a Link.
         * @typedef {afterimage.Link.$Properties} afterimage.Link.$Shape
         */

        /**
         * Constructs a new Link.
         * @memberof afterimage
         * @classdesc Represents a Link.
         * @constructor
         * @param {afterimage.Link.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Link = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Link node.
         * @member {Long} node
         * @memberof afterimage.Link
         * @instance
         */
        Link.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Link parent.
         * @member {Long} parent
         * @memberof afterimage.Link
         * @instance
         */
        Link.prototype.parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Link name.
         * @member {Uint8Array} name
         * @memberof afterimage.Link
         * @instance
         */
        Link.prototype.name = $util.newBuffer([]);

        /**
         * Encodes the specified Link message. Does not implicitly {@link afterimage.Link.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Link
         * @static
         * @param {afterimage.Link.$Properties} m Link message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Link.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.parent != null && $Object.hasOwnProperty.call(m, "parent") && (typeof m.parent === "object" ? m.parent.low || m.parent.high : m.parent !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.parent);
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.name);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Link message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Link
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Link & afterimage.Link.$Shape} Link
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Link.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Link();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.parent = v;
                        else
                            delete m.parent;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Link;
    })();

    afterimage.Unlink = (function() {

        /**
         * Properties of an Unlink.
         * @typedef {Object} afterimage.Unlink.$Properties
         * @property {Long|null} [parent] Unlink parent
         * @property {Uint8Array|null} [name] Unlink name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Unlink.
         * @memberof afterimage
         * @interface IUnlink
         * @augments afterimage.Unlink.$Properties
         * @deprecated Use afterimage.Unlink.$Properties instead.
         */

        /**
         * Shape of an Unlink.
         * @typedef {afterimage.Unlink.$Properties} afterimage.Unlink.$Shape
         */

        /**
         * Constructs a new Unlink.
         * @memberof afterimage
         * @classdesc Represents an Unlink.
         * @constructor
         * @param {afterimage.Unlink.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Unlink = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Unlink parent.
         * @member {Long} parent
         * @memberof afterimage.Unlink
         * @instance
         */
        Unlink.prototype.parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Unlink name.
         * @member {Uint8Array} name
         * @memberof afterimage.Unlink
         * @instance
         */
        Unlink.prototype.name = $util.newBuffer([]);

        /**
         * Encodes the specified Unlink message. Does not implicitly {@link afterimage.Unlink.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Unlink
         * @static
         * @param {afterimage.Unlink.$Properties} m Unlink message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Unlink.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.parent != null && $Object.hasOwnProperty.call(m, "parent") && (typeof m.parent === "object" ? m.parent.low || m.parent.high : m.parent !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.parent);
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name.length)
                w.uint32(/* id 2, wireType 2 =*/18).bytes(m.name);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Unlink message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Unlink
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Unlink & afterimage.Unlink.$Shape} Unlink
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Unlink.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Unlink();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.parent = v;
                        else
                            delete m.parent;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Unlink;
    })();

    afterimage.Rename = (function() {

        /**
         * Properties of a Rename.
         * @typedef {Object} afterimage.Rename.$Properties
         * @property {Long|null} [parent] Rename parent
         * @property {Uint8Array|null} [name] Rename name
         * @property {Long|null} [toParent] Rename toParent
         * @property {Uint8Array|null} [toName] Rename toName
         * @property {boolean|null} [exchange] Rename exchange
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Rename.
         * @memberof afterimage
         * @interface IRename
         * @augments afterimage.Rename.$Properties
         * @deprecated Use afterimage.Rename.$Properties instead.
         */

        /**
         * Shape of a Rename.
         * @typedef {afterimage.Rename.$Properties} afterimage.Rename.$Shape
         */

        /**
         * Constructs a new Rename.
         * @memberof afterimage
         * @classdesc Represents a Rename.
         * @constructor
         * @param {afterimage.Rename.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Rename = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Rename parent.
         * @member {Long} parent
         * @memberof afterimage.Rename
         * @instance
         */
        Rename.prototype.parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Rename name.
         * @member {Uint8Array} name
         * @memberof afterimage.Rename
         * @instance
         */
        Rename.prototype.name = $util.newBuffer([]);

        /**
         * Rename toParent.
         * @member {Long} toParent
         * @memberof afterimage.Rename
         * @instance
         */
        Rename.prototype.toParent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Rename toName.
         * @member {Uint8Array} toName
         * @memberof afterimage.Rename
         * @instance
         */
        Rename.prototype.toName = $util.newBuffer([]);

        /**
         * Rename exchange.
         * @member {boolean} exchange
         * @memberof afterimage.Rename
         * @instance
         */
        Rename.prototype.exchange = false;

        /**
         * Encodes the specified Rename message. Does not implicitly {@link afterimage.Rename.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Rename
         * @static
         * @param {afterimage.Rename.$Properties} m Rename message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Rename.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.parent != null && $Object.hasOwnProperty.call(m, "parent") && (typeof m.parent === "object" ? m.parent.low || m.parent.high : m.parent !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.parent);
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name.length)
                w.uint32(/* id 2, wireType 2 =*/18).bytes(m.name);
            if (m.toParent != null && $Object.hasOwnProperty.call(m, "toParent") && (typeof m.toParent === "object" ? m.toParent.low || m.toParent.high : m.toParent !== 0))
                w.uint32(/* id 3, wireType 0 =*/24).uint64(m.toParent);
            if (m.toName != null && $Object.hasOwnProperty.call(m, "toName") && m.toName.length)
                w.uint32(/* id 4, wireType 2 =*/34).bytes(m.toName);
            if (m.exchange != null && $Object.hasOwnProperty.call(m, "exchange") && m.exchange !== false)
                w.uint32(/* id 5, wireType 0 =*/40).bool(m.exchange);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Rename message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Rename
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Rename & afterimage.Rename.$Shape} Rename
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Rename.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Rename();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.parent = v;
                        else
                            delete m.parent;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.toParent = v;
                        else
                            delete m.toParent;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.toName = v;
                        else
                            delete m.toName;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.exchange = v;
                        else
                            delete m.exchange;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Rename;
    })();

    afterimage.Write = (function() {

        /**
         * Properties of a Write.
         * @typedef {Object} afterimage.Write.$Properties
         * @property {Long|null} [node] Write node
         * @property {Long|null} [offset] Write offset
         * @property {Uint8Array|null} [data] Write data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Write.
         * @memberof afterimage
         * @interface IWrite
         * @augments afterimage.Write.$Properties
         * @deprecated Use afterimage.Write.$Properties instead.
         */

        /**
         * Shape of a Write.
         * @typedef {afterimage.Write.$Properties} afterimage.Write.$Shape
         */

        /**
         * Constructs a new Write.
         * @memberof afterimage
         * @classdesc Represents a Write.
         * @constructor
         * @param {afterimage.Write.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Write = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Write node.
         * @member {Long} node
         * @memberof afterimage.Write
         * @instance
         */
        Write.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Write offset.
         * @member {Long} offset
         * @memberof afterimage.Write
         * @instance
         */
        Write.prototype.offset = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Write data.
         * @member {Uint8Array} data
         * @memberof afterimage.Write
         * @instance
         */
        Write.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified Write message. Does not implicitly {@link afterimage.Write.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Write
         * @static
         * @param {afterimage.Write.$Properties} m Write message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Write.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.offset != null && $Object.hasOwnProperty.call(m, "offset") && (typeof m.offset === "object" ? m.offset.low || m.offset.high : m.offset !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.offset);
            if (m.data != null && $Object.hasOwnProperty.call(m, "data") && m.data.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.data);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Write message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Write
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Write & afterimage.Write.$Shape} Write
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Write.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Write();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.offset = v;
                        else
                            delete m.offset;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.data = v;
                        else
                            delete m.data;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Write;
    })();

    afterimage.Truncate = (function() {

        /**
         * Properties of a Truncate.
         * @typedef {Object} afterimage.Truncate.$Properties
         * @property {Long|null} [node] Truncate node
         * @property {Long|null} [size] Truncate size
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Truncate.
         * @memberof afterimage
         * @interface ITruncate
         * @augments afterimage.Truncate.$Properties
         * @deprecated Use afterimage.Truncate.$Properties instead.
         */

        /**
         * Shape of a Truncate.
         * @typedef {afterimage.Truncate.$Properties} afterimage.Truncate.$Shape
         */

        /**
         * Constructs a new Truncate.
         * @memberof afterimage
         * @classdesc Represents a Truncate.
         * @constructor
         * @param {afterimage.Truncate.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Truncate = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Truncate node.
         * @member {Long} node
         * @memberof afterimage.Truncate
         * @instance
         */
        Truncate.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Truncate size.
         * @member {Long} size
         * @memberof afterimage.Truncate
         * @instance
         */
        Truncate.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Truncate message. Does not implicitly {@link afterimage.Truncate.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Truncate
         * @static
         * @param {afterimage.Truncate.$Properties} m Truncate message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Truncate.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.size != null && $Object.hasOwnProperty.call(m, "size") && (typeof m.size === "object" ? m.size.low || m.size.high : m.size !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.size);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Truncate message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Truncate
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Truncate & afterimage.Truncate.$Shape} Truncate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Truncate.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Truncate();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.size = v;
                        else
                            delete m.size;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Truncate;
    })();

    afterimage.Range = (function() {

        /**
         * Properties of a Range.
         * @typedef {Object} afterimage.Range.$Properties
         * @property {Long|null} [node] Range node
         * @property {Long|null} [offset] Range offset
         * @property {Long|null} [length] Range length
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Range.
         * @memberof afterimage
         * @interface IRange
         * @augments afterimage.Range.$Properties
         * @deprecated Use afterimage.Range.$Properties instead.
         */

        /**
         * Shape of a Range.
         * @typedef {afterimage.Range.$Properties} afterimage.Range.$Shape
         */

        /**
         * Constructs a new Range.
         * @memberof afterimage
         * @classdesc Represents a Range.
         * @constructor
         * @param {afterimage.Range.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Range = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Range node.
         * @member {Long} node
         * @memberof afterimage.Range
         * @instance
         */
        Range.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Range offset.
         * @member {Long} offset
         * @memberof afterimage.Range
         * @instance
         */
        Range.prototype.offset = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Range length.
         * @member {Long} length
         * @memberof afterimage.Range
         * @instance
         */
        Range.prototype.length = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Range message. Does not implicitly {@link afterimage.Range.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Range
         * @static
         * @param {afterimage.Range.$Properties} m Range message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Range.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.offset != null && $Object.hasOwnProperty.call(m, "offset") && (typeof m.offset === "object" ? m.offset.low || m.offset.high : m.offset !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.offset);
            if (m.length != null && $Object.hasOwnProperty.call(m, "length") && (typeof m.length === "object" ? m.length.low || m.length.high : m.length !== 0))
                w.uint32(/* id 3, wireType 0 =*/24).uint64(m.length);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Range message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Range
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Range & afterimage.Range.$Shape} Range
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Range.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Range();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.offset = v;
                        else
                            delete m.offset;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.length = v;
                        else
                            delete m.length;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Range;
    })();

    afterimage.Clone = (function() {

        /**
         * Properties of a Clone.
         * @typedef {Object} afterimage.Clone.$Properties
         * @property {Long|null} [node] Clone node
         * @property {Long|null} [offset] Clone offset
         * @property {Long|null} [length] Clone length
         * @property {Long|null} [sourceNode] Clone sourceNode
         * @property {Long|null} [sourceOffset] Clone sourceOffset
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Clone.
         * @memberof afterimage
         * @interface IClone
         * @augments afterimage.Clone.$Properties
         * @deprecated Use afterimage.Clone.$Properties instead.
         */

        /**
         * Shape of a Clone.
         * @typedef {afterimage.Clone.$Properties} afterimage.Clone.$Shape
         */

        /**
         * Constructs a new Clone.
         * @memberof afterimage
         * @classdesc Represents a Clone.
         * @constructor
         * @param {afterimage.Clone.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Clone = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Clone node.
         * @member {Long} node
         * @memberof afterimage.Clone
         * @instance
         */
        Clone.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Clone offset.
         * @member {Long} offset
         * @memberof afterimage.Clone
         * @instance
         */
        Clone.prototype.offset = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Clone length.
         * @member {Long} length
         * @memberof afterimage.Clone
         * @instance
         */
        Clone.prototype.length = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Clone sourceNode.
         * @member {Long} sourceNode
         * @memberof afterimage.Clone
         * @instance
         */
        Clone.prototype.sourceNode = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Clone sourceOffset.
         * @member {Long} sourceOffset
         * @memberof afterimage.Clone
         * @instance
         */
        Clone.prototype.sourceOffset = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Clone message. Does not implicitly {@link afterimage.Clone.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Clone
         * @static
         * @param {afterimage.Clone.$Properties} m Clone message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Clone.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.offset != null && $Object.hasOwnProperty.call(m, "offset") && (typeof m.offset === "object" ? m.offset.low || m.offset.high : m.offset !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.offset);
            if (m.length != null && $Object.hasOwnProperty.call(m, "length") && (typeof m.length === "object" ? m.length.low || m.length.high : m.length !== 0))
                w.uint32(/* id 3, wireType 0 =*/24).uint64(m.length);
            if (m.sourceNode != null && $Object.hasOwnProperty.call(m, "sourceNode") && (typeof m.sourceNode === "object" ? m.sourceNode.low || m.sourceNode.high : m.sourceNode !== 0))
                w.uint32(/* id 4, wireType 0 =*/32).uint64(m.sourceNode);
            if (m.sourceOffset != null && $Object.hasOwnProperty.call(m, "sourceOffset") && (typeof m.sourceOffset === "object" ? m.sourceOffset.low || m.sourceOffset.high : m.sourceOffset !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.sourceOffset);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Clone message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Clone
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Clone & afterimage.Clone.$Shape} Clone
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Clone.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Clone();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.offset = v;
                        else
                            delete m.offset;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.length = v;
                        else
                            delete m.length;
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sourceNode = v;
                        else
                            delete m.sourceNode;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sourceOffset = v;
                        else
                            delete m.sourceOffset;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Clone;
    })();

    afterimage.Attributes = (function() {

        /**
         * Properties of an Attributes.
         * @typedef {Object} afterimage.Attributes.$Properties
         * @property {Long|null} [node] Attributes node
         * @property {number|null} [mode] Attributes mode
         * @property {number|null} [uid] Attributes uid
         * @property {number|null} [gid] Attributes gid
         * @property {Long|null} [modifyNs] Attributes modifyNs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Attributes.
         * @memberof afterimage
         * @interface IAttributes
         * @augments afterimage.Attributes.$Properties
         * @deprecated Use afterimage.Attributes.$Properties instead.
         */

        /**
         * Shape of an Attributes.
         * @typedef {afterimage.Attributes.$Properties} afterimage.Attributes.$Shape
         */

        /**
         * Constructs a new Attributes.
         * @memberof afterimage
         * @classdesc Represents an Attributes.
         * @constructor
         * @param {afterimage.Attributes.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Attributes = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Attributes node.
         * @member {Long} node
         * @memberof afterimage.Attributes
         * @instance
         */
        Attributes.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Attributes mode.
         * @member {number|null|undefined} mode
         * @memberof afterimage.Attributes
         * @instance
         */
        Attributes.prototype.mode = null;

        /**
         * Attributes uid.
         * @member {number|null|undefined} uid
         * @memberof afterimage.Attributes
         * @instance
         */
        Attributes.prototype.uid = null;

        /**
         * Attributes gid.
         * @member {number|null|undefined} gid
         * @memberof afterimage.Attributes
         * @instance
         */
        Attributes.prototype.gid = null;

        /**
         * Attributes modifyNs.
         * @member {Long|null|undefined} modifyNs
         * @memberof afterimage.Attributes
         * @instance
         */
        Attributes.prototype.modifyNs = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Attributes.prototype, "_mode", {
            get: $util.oneOfGetter($oneOfFields = ["mode"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Attributes.prototype, "_uid", {
            get: $util.oneOfGetter($oneOfFields = ["uid"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Attributes.prototype, "_gid", {
            get: $util.oneOfGetter($oneOfFields = ["gid"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Attributes.prototype, "_modifyNs", {
            get: $util.oneOfGetter($oneOfFields = ["modifyNs"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified Attributes message. Does not implicitly {@link afterimage.Attributes.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Attributes
         * @static
         * @param {afterimage.Attributes.$Properties} m Attributes message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Attributes.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.mode != null && $Object.hasOwnProperty.call(m, "mode"))
                w.uint32(/* id 2, wireType 0 =*/16).uint32(m.mode);
            if (m.uid != null && $Object.hasOwnProperty.call(m, "uid"))
                w.uint32(/* id 3, wireType 0 =*/24).uint32(m.uid);
            if (m.gid != null && $Object.hasOwnProperty.call(m, "gid"))
                w.uint32(/* id 4, wireType 0 =*/32).uint32(m.gid);
            if (m.modifyNs != null && $Object.hasOwnProperty.call(m, "modifyNs"))
                w.uint32(/* id 5, wireType 0 =*/40).sint64(m.modifyNs);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Attributes message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Attributes
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Attributes & afterimage.Attributes.$Shape} Attributes
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Attributes.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Attributes();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        m.mode = r.uint32();
                        m._mode = "mode";
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        m.uid = r.uint32();
                        m._uid = "uid";
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        m.gid = r.uint32();
                        m._gid = "gid";
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        m.modifyNs = r.sint64();
                        m._modifyNs = "modifyNs";
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Attributes;
    })();

    afterimage.Xattr = (function() {

        /**
         * Properties of a Xattr.
         * @typedef {Object} afterimage.Xattr.$Properties
         * @property {Long|null} [node] Xattr node
         * @property {Uint8Array|null} [key] Xattr key
         * @property {Uint8Array|null} [value] Xattr value
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Xattr.
         * @memberof afterimage
         * @interface IXattr
         * @augments afterimage.Xattr.$Properties
         * @deprecated Use afterimage.Xattr.$Properties instead.
         */

        /**
         * Shape of a Xattr.
         * @typedef {afterimage.Xattr.$Properties} afterimage.Xattr.$Shape
         */

        /**
         * Constructs a new Xattr.
         * @memberof afterimage
         * @classdesc Represents a Xattr.
         * @constructor
         * @param {afterimage.Xattr.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Xattr = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Xattr node.
         * @member {Long} node
         * @memberof afterimage.Xattr
         * @instance
         */
        Xattr.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Xattr key.
         * @member {Uint8Array} key
         * @memberof afterimage.Xattr
         * @instance
         */
        Xattr.prototype.key = $util.newBuffer([]);

        /**
         * Xattr value.
         * @member {Uint8Array} value
         * @memberof afterimage.Xattr
         * @instance
         */
        Xattr.prototype.value = $util.newBuffer([]);

        /**
         * Encodes the specified Xattr message. Does not implicitly {@link afterimage.Xattr.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Xattr
         * @static
         * @param {afterimage.Xattr.$Properties} m Xattr message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Xattr.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.key != null && $Object.hasOwnProperty.call(m, "key") && m.key.length)
                w.uint32(/* id 2, wireType 2 =*/18).bytes(m.key);
            if (m.value != null && $Object.hasOwnProperty.call(m, "value") && m.value.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.value);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Xattr message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Xattr
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Xattr & afterimage.Xattr.$Shape} Xattr
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Xattr.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Xattr();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.key = v;
                        else
                            delete m.key;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.value = v;
                        else
                            delete m.value;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Xattr;
    })();

    afterimage.Empty = (function() {

        /**
         * Properties of an Empty.
         * @typedef {Object} afterimage.Empty.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Empty.
         * @memberof afterimage
         * @interface IEmpty
         * @augments afterimage.Empty.$Properties
         * @deprecated Use afterimage.Empty.$Properties instead.
         */

        /**
         * Shape of an Empty.
         * @typedef {afterimage.Empty.$Properties} afterimage.Empty.$Shape
         */

        /**
         * Constructs a new Empty.
         * @memberof afterimage
         * @classdesc Represents an Empty.
         * @constructor
         * @param {afterimage.Empty.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Empty = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Encodes the specified Empty message. Does not implicitly {@link afterimage.Empty.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Empty
         * @static
         * @param {afterimage.Empty.$Properties} m Empty message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Empty.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Empty message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Empty
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Empty & afterimage.Empty.$Shape} Empty
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Empty.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Empty();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                r.skipType(t & 7, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Empty;
    })();

    afterimage.Edge = (function() {

        /**
         * Properties of an Edge.
         * @typedef {Object} afterimage.Edge.$Properties
         * @property {boolean|null} [end] Edge end
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Edge.
         * @memberof afterimage
         * @interface IEdge
         * @augments afterimage.Edge.$Properties
         * @deprecated Use afterimage.Edge.$Properties instead.
         */

        /**
         * Shape of an Edge.
         * @typedef {afterimage.Edge.$Properties} afterimage.Edge.$Shape
         */

        /**
         * Constructs a new Edge.
         * @memberof afterimage
         * @classdesc Represents an Edge.
         * @constructor
         * @param {afterimage.Edge.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Edge = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Edge end.
         * @member {boolean} end
         * @memberof afterimage.Edge
         * @instance
         */
        Edge.prototype.end = false;

        /**
         * Encodes the specified Edge message. Does not implicitly {@link afterimage.Edge.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Edge
         * @static
         * @param {afterimage.Edge.$Properties} m Edge message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Edge.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.end != null && $Object.hasOwnProperty.call(m, "end") && m.end !== false)
                w.uint32(/* id 1, wireType 0 =*/8).bool(m.end);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Edge message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Edge
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Edge & afterimage.Edge.$Shape} Edge
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Edge.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Edge();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.end = v;
                        else
                            delete m.end;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Edge;
    })();

    afterimage.Gap = (function() {

        /**
         * Properties of a Gap.
         * @typedef {Object} afterimage.Gap.$Properties
         * @property {boolean|null} [close] Gap close
         * @property {Long|null} [gap] Gap gap
         * @property {boolean|null} [unknown] Gap unknown
         * @property {string|null} [cause] Gap cause
         * @property {Long|null} [sinceNs] Gap sinceNs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Gap.
         * @memberof afterimage
         * @interface IGap
         * @augments afterimage.Gap.$Properties
         * @deprecated Use afterimage.Gap.$Properties instead.
         */

        /**
         * Shape of a Gap.
         * @typedef {afterimage.Gap.$Properties} afterimage.Gap.$Shape
         */

        /**
         * Constructs a new Gap.
         * @memberof afterimage
         * @classdesc Represents a Gap.
         * @constructor
         * @param {afterimage.Gap.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Gap = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Gap close.
         * @member {boolean} close
         * @memberof afterimage.Gap
         * @instance
         */
        Gap.prototype.close = false;

        /**
         * Gap gap.
         * @member {Long} gap
         * @memberof afterimage.Gap
         * @instance
         */
        Gap.prototype.gap = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Gap unknown.
         * @member {boolean} unknown
         * @memberof afterimage.Gap
         * @instance
         */
        Gap.prototype.unknown = false;

        /**
         * Gap cause.
         * @member {string} cause
         * @memberof afterimage.Gap
         * @instance
         */
        Gap.prototype.cause = "";

        /**
         * Gap sinceNs.
         * @member {Long} sinceNs
         * @memberof afterimage.Gap
         * @instance
         */
        Gap.prototype.sinceNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Gap message. Does not implicitly {@link afterimage.Gap.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Gap
         * @static
         * @param {afterimage.Gap.$Properties} m Gap message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Gap.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.close != null && $Object.hasOwnProperty.call(m, "close") && m.close !== false)
                w.uint32(/* id 1, wireType 0 =*/8).bool(m.close);
            if (m.gap != null && $Object.hasOwnProperty.call(m, "gap") && (typeof m.gap === "object" ? m.gap.low || m.gap.high : m.gap !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.gap);
            if (m.unknown != null && $Object.hasOwnProperty.call(m, "unknown") && m.unknown !== false)
                w.uint32(/* id 3, wireType 0 =*/24).bool(m.unknown);
            if (m.cause != null && $Object.hasOwnProperty.call(m, "cause") && m.cause !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.cause);
            if (m.sinceNs != null && $Object.hasOwnProperty.call(m, "sinceNs") && (typeof m.sinceNs === "object" ? m.sinceNs.low || m.sinceNs.high : m.sinceNs !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.sinceNs);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Gap message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Gap
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Gap & afterimage.Gap.$Shape} Gap
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Gap.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Gap();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.close = v;
                        else
                            delete m.close;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.gap = v;
                        else
                            delete m.gap;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.unknown = v;
                        else
                            delete m.unknown;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.cause = v;
                        else
                            delete m.cause;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sinceNs = v;
                        else
                            delete m.sinceNs;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Gap;
    })();

    afterimage.Settled = (function() {

        /**
         * Properties of a Settled.
         * @typedef {Object} afterimage.Settled.$Properties
         * @property {Long|null} [sinceNs] Settled sinceNs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Settled.
         * @memberof afterimage
         * @interface ISettled
         * @augments afterimage.Settled.$Properties
         * @deprecated Use afterimage.Settled.$Properties instead.
         */

        /**
         * Shape of a Settled.
         * @typedef {afterimage.Settled.$Properties} afterimage.Settled.$Shape
         */

        /**
         * Constructs a new Settled.
         * @memberof afterimage
         * @classdesc Represents a Settled.
         * @constructor
         * @param {afterimage.Settled.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Settled = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Settled sinceNs.
         * @member {Long} sinceNs
         * @memberof afterimage.Settled
         * @instance
         */
        Settled.prototype.sinceNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Settled message. Does not implicitly {@link afterimage.Settled.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Settled
         * @static
         * @param {afterimage.Settled.$Properties} m Settled message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Settled.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.sinceNs != null && $Object.hasOwnProperty.call(m, "sinceNs") && (typeof m.sinceNs === "object" ? m.sinceNs.low || m.sinceNs.high : m.sinceNs !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.sinceNs);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Settled message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Settled
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Settled & afterimage.Settled.$Shape} Settled
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Settled.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Settled();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sinceNs = v;
                        else
                            delete m.sinceNs;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Settled;
    })();

    afterimage.Mark = (function() {

        /**
         * Properties of a Mark.
         * @typedef {Object} afterimage.Mark.$Properties
         * @property {string|null} [name] Mark name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Mark.
         * @memberof afterimage
         * @interface IMark
         * @augments afterimage.Mark.$Properties
         * @deprecated Use afterimage.Mark.$Properties instead.
         */

        /**
         * Shape of a Mark.
         * @typedef {afterimage.Mark.$Properties} afterimage.Mark.$Shape
         */

        /**
         * Constructs a new Mark.
         * @memberof afterimage
         * @classdesc Represents a Mark.
         * @constructor
         * @param {afterimage.Mark.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Mark = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Mark name.
         * @member {string} name
         * @memberof afterimage.Mark
         * @instance
         */
        Mark.prototype.name = "";

        /**
         * Encodes the specified Mark message. Does not implicitly {@link afterimage.Mark.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Mark
         * @static
         * @param {afterimage.Mark.$Properties} m Mark message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Mark.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.name);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Mark message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Mark
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Mark & afterimage.Mark.$Shape} Mark
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Mark.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Mark();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Mark;
    })();

    afterimage.ClockStep = (function() {

        /**
         * Properties of a ClockStep.
         * @typedef {Object} afterimage.ClockStep.$Properties
         * @property {Long|null} [stepNs] ClockStep stepNs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ClockStep.
         * @memberof afterimage
         * @interface IClockStep
         * @augments afterimage.ClockStep.$Properties
         * @deprecated Use afterimage.ClockStep.$Properties instead.
         */

        /**
         * Shape of a ClockStep.
         * @typedef {afterimage.ClockStep.$Properties} afterimage.ClockStep.$Shape
         */

        /**
         * Constructs a new ClockStep.
         * @memberof afterimage
         * @classdesc Represents a ClockStep.
         * @constructor
         * @param {afterimage.ClockStep.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ClockStep = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * ClockStep stepNs.
         * @member {Long} stepNs
         * @memberof afterimage.ClockStep
         * @instance
         */
        ClockStep.prototype.stepNs = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

        /**
         * Encodes the specified ClockStep message. Does not implicitly {@link afterimage.ClockStep.verify|verify} messages.
         * @function encode
         * @memberof afterimage.ClockStep
         * @static
         * @param {afterimage.ClockStep.$Properties} m ClockStep message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ClockStep.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.stepNs != null && $Object.hasOwnProperty.call(m, "stepNs") && (typeof m.stepNs === "object" ? m.stepNs.low || m.stepNs.high : m.stepNs !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).sint64(m.stepNs);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a ClockStep message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.ClockStep
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.ClockStep & afterimage.ClockStep.$Shape} ClockStep
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ClockStep.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.ClockStep();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.sint64()) === "object" ? v.low || v.high : v !== 0)
                            m.stepNs = v;
                        else
                            delete m.stepNs;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return ClockStep;
    })();

    afterimage.DurableEdge = (function() {

        /**
         * Properties of a DurableEdge.
         * @typedef {Object} afterimage.DurableEdge.$Properties
         * @property {Long|null} [node] DurableEdge node
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a DurableEdge.
         * @memberof afterimage
         * @interface IDurableEdge
         * @augments afterimage.DurableEdge.$Properties
         * @deprecated Use afterimage.DurableEdge.$Properties instead.
         */

        /**
         * Shape of a DurableEdge.
         * @typedef {afterimage.DurableEdge.$Properties} afterimage.DurableEdge.$Shape
         */

        /**
         * Constructs a new DurableEdge.
         * @memberof afterimage
         * @classdesc Represents a DurableEdge.
         * @constructor
         * @param {afterimage.DurableEdge.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const DurableEdge = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * DurableEdge node.
         * @member {Long} node
         * @memberof afterimage.DurableEdge
         * @instance
         */
        DurableEdge.prototype.node = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified DurableEdge message. Does not implicitly {@link afterimage.DurableEdge.verify|verify} messages.
         * @function encode
         * @memberof afterimage.DurableEdge
         * @static
         * @param {afterimage.DurableEdge.$Properties} m DurableEdge message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        DurableEdge.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.node != null && $Object.hasOwnProperty.call(m, "node") && (typeof m.node === "object" ? m.node.low || m.node.high : m.node !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.node);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a DurableEdge message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.DurableEdge
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.DurableEdge & afterimage.DurableEdge.$Shape} DurableEdge
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        DurableEdge.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.DurableEdge();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.node = v;
                        else
                            delete m.node;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return DurableEdge;
    })();

    afterimage.VolumeDefinition = (function() {

        /**
         * Properties of a VolumeDefinition.
         * @typedef {Object} afterimage.VolumeDefinition.$Properties
         * @property {string|null} [name] VolumeDefinition name
         * @property {boolean|null} [device] VolumeDefinition device
         * @property {Uint8Array|null} [path] VolumeDefinition path
         * @property {boolean|null} [exact] VolumeDefinition exact
         * @property {string|null} [platform] VolumeDefinition platform
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a VolumeDefinition.
         * @memberof afterimage
         * @interface IVolumeDefinition
         * @augments afterimage.VolumeDefinition.$Properties
         * @deprecated Use afterimage.VolumeDefinition.$Properties instead.
         */

        /**
         * Shape of a VolumeDefinition.
         * @typedef {afterimage.VolumeDefinition.$Properties} afterimage.VolumeDefinition.$Shape
         */

        /**
         * Constructs a new VolumeDefinition.
         * @memberof afterimage
         * @classdesc Represents a VolumeDefinition.
         * @constructor
         * @param {afterimage.VolumeDefinition.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const VolumeDefinition = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * VolumeDefinition name.
         * @member {string} name
         * @memberof afterimage.VolumeDefinition
         * @instance
         */
        VolumeDefinition.prototype.name = "";

        /**
         * VolumeDefinition device.
         * @member {boolean} device
         * @memberof afterimage.VolumeDefinition
         * @instance
         */
        VolumeDefinition.prototype.device = false;

        /**
         * VolumeDefinition path.
         * @member {Uint8Array} path
         * @memberof afterimage.VolumeDefinition
         * @instance
         */
        VolumeDefinition.prototype.path = $util.newBuffer([]);

        /**
         * VolumeDefinition exact.
         * @member {boolean} exact
         * @memberof afterimage.VolumeDefinition
         * @instance
         */
        VolumeDefinition.prototype.exact = false;

        /**
         * VolumeDefinition platform.
         * @member {string} platform
         * @memberof afterimage.VolumeDefinition
         * @instance
         */
        VolumeDefinition.prototype.platform = "";

        /**
         * Encodes the specified VolumeDefinition message. Does not implicitly {@link afterimage.VolumeDefinition.verify|verify} messages.
         * @function encode
         * @memberof afterimage.VolumeDefinition
         * @static
         * @param {afterimage.VolumeDefinition.$Properties} m VolumeDefinition message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        VolumeDefinition.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.name != null && $Object.hasOwnProperty.call(m, "name") && m.name !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.name);
            if (m.device != null && $Object.hasOwnProperty.call(m, "device") && m.device !== false)
                w.uint32(/* id 2, wireType 0 =*/16).bool(m.device);
            if (m.path != null && $Object.hasOwnProperty.call(m, "path") && m.path.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.path);
            if (m.exact != null && $Object.hasOwnProperty.call(m, "exact") && m.exact !== false)
                w.uint32(/* id 4, wireType 0 =*/32).bool(m.exact);
            if (m.platform != null && $Object.hasOwnProperty.call(m, "platform") && m.platform !== "")
                w.uint32(/* id 5, wireType 2 =*/42).string(m.platform);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a VolumeDefinition message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.VolumeDefinition
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.VolumeDefinition & afterimage.VolumeDefinition.$Shape} VolumeDefinition
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        VolumeDefinition.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.VolumeDefinition();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.name = v;
                        else
                            delete m.name;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.device = v;
                        else
                            delete m.device;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.path = v;
                        else
                            delete m.path;
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.exact = v;
                        else
                            delete m.exact;
                        continue;
                    }
                case 5: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.platform = v;
                        else
                            delete m.platform;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return VolumeDefinition;
    })();

    afterimage.VolumeRetired = (function() {

        /**
         * Properties of a VolumeRetired.
         * @typedef {Object} afterimage.VolumeRetired.$Properties
         * @property {string|null} [cause] VolumeRetired cause
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a VolumeRetired.
         * @memberof afterimage
         * @interface IVolumeRetired
         * @augments afterimage.VolumeRetired.$Properties
         * @deprecated Use afterimage.VolumeRetired.$Properties instead.
         */

        /**
         * Shape of a VolumeRetired.
         * @typedef {afterimage.VolumeRetired.$Properties} afterimage.VolumeRetired.$Shape
         */

        /**
         * Constructs a new VolumeRetired.
         * @memberof afterimage
         * @classdesc Represents a VolumeRetired.
         * @constructor
         * @param {afterimage.VolumeRetired.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const VolumeRetired = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * VolumeRetired cause.
         * @member {string} cause
         * @memberof afterimage.VolumeRetired
         * @instance
         */
        VolumeRetired.prototype.cause = "";

        /**
         * Encodes the specified VolumeRetired message. Does not implicitly {@link afterimage.VolumeRetired.verify|verify} messages.
         * @function encode
         * @memberof afterimage.VolumeRetired
         * @static
         * @param {afterimage.VolumeRetired.$Properties} m VolumeRetired message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        VolumeRetired.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.cause != null && $Object.hasOwnProperty.call(m, "cause") && m.cause !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.cause);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a VolumeRetired message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.VolumeRetired
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.VolumeRetired & afterimage.VolumeRetired.$Shape} VolumeRetired
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        VolumeRetired.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.VolumeRetired();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.cause = v;
                        else
                            delete m.cause;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return VolumeRetired;
    })();

    afterimage.EnrolRequest = (function() {

        /**
         * Properties of an EnrolRequest.
         * @typedef {Object} afterimage.EnrolRequest.$Properties
         * @property {string|null} [token] EnrolRequest token
         * @property {Uint8Array|null} [certificateRequestDer] EnrolRequest certificateRequestDer
         * @property {string|null} [platform] EnrolRequest platform
         * @property {string|null} [agentVersion] EnrolRequest agentVersion
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an EnrolRequest.
         * @memberof afterimage
         * @interface IEnrolRequest
         * @augments afterimage.EnrolRequest.$Properties
         * @deprecated Use afterimage.EnrolRequest.$Properties instead.
         */

        /**
         * Shape of an EnrolRequest.
         * @typedef {afterimage.EnrolRequest.$Properties} afterimage.EnrolRequest.$Shape
         */

        /**
         * Constructs a new EnrolRequest.
         * @memberof afterimage
         * @classdesc Represents an EnrolRequest.
         * @constructor
         * @param {afterimage.EnrolRequest.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const EnrolRequest = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * EnrolRequest token.
         * @member {string} token
         * @memberof afterimage.EnrolRequest
         * @instance
         */
        EnrolRequest.prototype.token = "";

        /**
         * EnrolRequest certificateRequestDer.
         * @member {Uint8Array} certificateRequestDer
         * @memberof afterimage.EnrolRequest
         * @instance
         */
        EnrolRequest.prototype.certificateRequestDer = $util.newBuffer([]);

        /**
         * EnrolRequest platform.
         * @member {string} platform
         * @memberof afterimage.EnrolRequest
         * @instance
         */
        EnrolRequest.prototype.platform = "";

        /**
         * EnrolRequest agentVersion.
         * @member {string} agentVersion
         * @memberof afterimage.EnrolRequest
         * @instance
         */
        EnrolRequest.prototype.agentVersion = "";

        /**
         * Encodes the specified EnrolRequest message. Does not implicitly {@link afterimage.EnrolRequest.verify|verify} messages.
         * @function encode
         * @memberof afterimage.EnrolRequest
         * @static
         * @param {afterimage.EnrolRequest.$Properties} m EnrolRequest message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        EnrolRequest.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.token != null && $Object.hasOwnProperty.call(m, "token") && m.token !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.token);
            if (m.certificateRequestDer != null && $Object.hasOwnProperty.call(m, "certificateRequestDer") && m.certificateRequestDer.length)
                w.uint32(/* id 2, wireType 2 =*/18).bytes(m.certificateRequestDer);
            if (m.platform != null && $Object.hasOwnProperty.call(m, "platform") && m.platform !== "")
                w.uint32(/* id 3, wireType 2 =*/26).string(m.platform);
            if (m.agentVersion != null && $Object.hasOwnProperty.call(m, "agentVersion") && m.agentVersion !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.agentVersion);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an EnrolRequest message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.EnrolRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.EnrolRequest & afterimage.EnrolRequest.$Shape} EnrolRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        EnrolRequest.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.EnrolRequest();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.token = v;
                        else
                            delete m.token;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.certificateRequestDer = v;
                        else
                            delete m.certificateRequestDer;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.platform = v;
                        else
                            delete m.platform;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.agentVersion = v;
                        else
                            delete m.agentVersion;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return EnrolRequest;
    })();

    afterimage.EnrolReply = (function() {

        /**
         * Properties of an EnrolReply.
         * @typedef {Object} afterimage.EnrolReply.$Properties
         * @property {string|null} [host] EnrolReply host
         * @property {string|null} [role] EnrolReply role
         * @property {Uint8Array|null} [journal] EnrolReply journal
         * @property {string|null} [certificatePem] EnrolReply certificatePem
         * @property {string|null} [caPem] EnrolReply caPem
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an EnrolReply.
         * @memberof afterimage
         * @interface IEnrolReply
         * @augments afterimage.EnrolReply.$Properties
         * @deprecated Use afterimage.EnrolReply.$Properties instead.
         */

        /**
         * Shape of an EnrolReply.
         * @typedef {afterimage.EnrolReply.$Properties} afterimage.EnrolReply.$Shape
         */

        /**
         * Constructs a new EnrolReply.
         * @memberof afterimage
         * @classdesc Represents an EnrolReply.
         * @constructor
         * @param {afterimage.EnrolReply.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const EnrolReply = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * EnrolReply host.
         * @member {string} host
         * @memberof afterimage.EnrolReply
         * @instance
         */
        EnrolReply.prototype.host = "";

        /**
         * EnrolReply role.
         * @member {string} role
         * @memberof afterimage.EnrolReply
         * @instance
         */
        EnrolReply.prototype.role = "";

        /**
         * EnrolReply journal.
         * @member {Uint8Array} journal
         * @memberof afterimage.EnrolReply
         * @instance
         */
        EnrolReply.prototype.journal = $util.newBuffer([]);

        /**
         * EnrolReply certificatePem.
         * @member {string} certificatePem
         * @memberof afterimage.EnrolReply
         * @instance
         */
        EnrolReply.prototype.certificatePem = "";

        /**
         * EnrolReply caPem.
         * @member {string} caPem
         * @memberof afterimage.EnrolReply
         * @instance
         */
        EnrolReply.prototype.caPem = "";

        /**
         * Encodes the specified EnrolReply message. Does not implicitly {@link afterimage.EnrolReply.verify|verify} messages.
         * @function encode
         * @memberof afterimage.EnrolReply
         * @static
         * @param {afterimage.EnrolReply.$Properties} m EnrolReply message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        EnrolReply.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.host != null && $Object.hasOwnProperty.call(m, "host") && m.host !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.host);
            if (m.role != null && $Object.hasOwnProperty.call(m, "role") && m.role !== "")
                w.uint32(/* id 2, wireType 2 =*/18).string(m.role);
            if (m.journal != null && $Object.hasOwnProperty.call(m, "journal") && m.journal.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.journal);
            if (m.certificatePem != null && $Object.hasOwnProperty.call(m, "certificatePem") && m.certificatePem !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.certificatePem);
            if (m.caPem != null && $Object.hasOwnProperty.call(m, "caPem") && m.caPem !== "")
                w.uint32(/* id 5, wireType 2 =*/42).string(m.caPem);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an EnrolReply message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.EnrolReply
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.EnrolReply & afterimage.EnrolReply.$Shape} EnrolReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        EnrolReply.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.EnrolReply();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.host = v;
                        else
                            delete m.host;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.role = v;
                        else
                            delete m.role;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.journal = v;
                        else
                            delete m.journal;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.certificatePem = v;
                        else
                            delete m.certificatePem;
                        continue;
                    }
                case 5: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.caPem = v;
                        else
                            delete m.caPem;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return EnrolReply;
    })();

    afterimage.RenewRequest = (function() {

        /**
         * Properties of a RenewRequest.
         * @typedef {Object} afterimage.RenewRequest.$Properties
         * @property {Uint8Array|null} [certificateRequestDer] RenewRequest certificateRequestDer
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RenewRequest.
         * @memberof afterimage
         * @interface IRenewRequest
         * @augments afterimage.RenewRequest.$Properties
         * @deprecated Use afterimage.RenewRequest.$Properties instead.
         */

        /**
         * Shape of a RenewRequest.
         * @typedef {afterimage.RenewRequest.$Properties} afterimage.RenewRequest.$Shape
         */

        /**
         * Constructs a new RenewRequest.
         * @memberof afterimage
         * @classdesc Represents a RenewRequest.
         * @constructor
         * @param {afterimage.RenewRequest.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RenewRequest = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RenewRequest certificateRequestDer.
         * @member {Uint8Array} certificateRequestDer
         * @memberof afterimage.RenewRequest
         * @instance
         */
        RenewRequest.prototype.certificateRequestDer = $util.newBuffer([]);

        /**
         * Encodes the specified RenewRequest message. Does not implicitly {@link afterimage.RenewRequest.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RenewRequest
         * @static
         * @param {afterimage.RenewRequest.$Properties} m RenewRequest message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RenewRequest.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.certificateRequestDer != null && $Object.hasOwnProperty.call(m, "certificateRequestDer") && m.certificateRequestDer.length)
                w.uint32(/* id 1, wireType 2 =*/10).bytes(m.certificateRequestDer);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RenewRequest message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RenewRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RenewRequest & afterimage.RenewRequest.$Shape} RenewRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RenewRequest.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RenewRequest();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.certificateRequestDer = v;
                        else
                            delete m.certificateRequestDer;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RenewRequest;
    })();

    afterimage.AgentMessage = (function() {

        /**
         * Properties of an AgentMessage.
         * @typedef {Object} afterimage.AgentMessage.$Properties
         * @property {afterimage.Hello.$Properties|null} [hello] AgentMessage hello
         * @property {afterimage.FrameMessage.$Properties|null} [frame] AgentMessage frame
         * @property {afterimage.Report.$Properties|null} [report] AgentMessage report
         * @property {"hello"|"frame"|"report"} [message] AgentMessage message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an AgentMessage.
         * @memberof afterimage
         * @interface IAgentMessage
         * @augments afterimage.AgentMessage.$Properties
         * @deprecated Use afterimage.AgentMessage.$Properties instead.
         */

        /**
         * Narrowed shape of an AgentMessage.
         * @typedef {{
         *   hello?: afterimage.Hello.$Shape|null;
         *   frame?: afterimage.FrameMessage.$Shape|null;
         *   report?: afterimage.Report.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message?: undefined; hello?: null; frame?: null; report?: null }|{ message?: "hello"; hello: afterimage.Hello.$Shape; frame?: null; report?: null }|{ message?: "frame"; hello?: null; frame: afterimage.FrameMessage.$Shape; report?: null }|{ message?: "report"; hello?: null; frame?: null; report: afterimage.Report.$Shape })
         * )} afterimage.AgentMessage.$Shape
         */

        /**
         * Constructs a new AgentMessage.
         * @memberof afterimage
         * @classdesc Represents an AgentMessage.
         * @constructor
         * @param {afterimage.AgentMessage.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const AgentMessage = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * AgentMessage hello.
         * @member {afterimage.Hello.$Properties|null|undefined} hello
         * @memberof afterimage.AgentMessage
         * @instance
         */
        AgentMessage.prototype.hello = null;

        /**
         * AgentMessage frame.
         * @member {afterimage.FrameMessage.$Properties|null|undefined} frame
         * @memberof afterimage.AgentMessage
         * @instance
         */
        AgentMessage.prototype.frame = null;

        /**
         * AgentMessage report.
         * @member {afterimage.Report.$Properties|null|undefined} report
         * @memberof afterimage.AgentMessage
         * @instance
         */
        AgentMessage.prototype.report = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * AgentMessage message.
         * @member {"hello"|"frame"|"report"|undefined} message
         * @memberof afterimage.AgentMessage
         * @instance
         */
        $Object.defineProperty(AgentMessage.prototype, "message", {
            get: $util.oneOfGetter($oneOfFields = ["hello", "frame", "report"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified AgentMessage message. Does not implicitly {@link afterimage.AgentMessage.verify|verify} messages.
         * @function encode
         * @memberof afterimage.AgentMessage
         * @static
         * @param {afterimage.AgentMessage.$Properties} m AgentMessage message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        AgentMessage.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.hello != null && $Object.hasOwnProperty.call(m, "hello"))
                $root.afterimage.Hello.encode(m.hello, w.uint32(/* id 1, wireType 2 =*/10).fork(), q + 1).ldelim();
            if (m.frame != null && $Object.hasOwnProperty.call(m, "frame"))
                $root.afterimage.FrameMessage.encode(m.frame, w.uint32(/* id 2, wireType 2 =*/18).fork(), q + 1).ldelim();
            if (m.report != null && $Object.hasOwnProperty.call(m, "report"))
                $root.afterimage.Report.encode(m.report, w.uint32(/* id 3, wireType 2 =*/26).fork(), q + 1).ldelim();
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an AgentMessage message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.AgentMessage
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.AgentMessage & afterimage.AgentMessage.$Shape} AgentMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        AgentMessage.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.AgentMessage();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        m.hello = $root.afterimage.Hello.decode(r, r.size(), $undefined, q + 1, m.hello);
                        m.message = "hello";
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        m.frame = $root.afterimage.FrameMessage.decode(r, r.size(), $undefined, q + 1, m.frame);
                        m.message = "frame";
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        m.report = $root.afterimage.Report.decode(r, r.size(), $undefined, q + 1, m.report);
                        m.message = "report";
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return AgentMessage;
    })();

    afterimage.Hello = (function() {

        /**
         * Properties of a Hello.
         * @typedef {Object} afterimage.Hello.$Properties
         * @property {number|null} [protocolVersion] Hello protocolVersion
         * @property {Uint8Array|null} [journal] Hello journal
         * @property {string|null} [agentVersion] Hello agentVersion
         * @property {string|null} [platform] Hello platform
         * @property {Long|null} [heldFrom] Hello heldFrom
         * @property {Long|null} [capturedThrough] Hello capturedThrough
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Hello.
         * @memberof afterimage
         * @interface IHello
         * @augments afterimage.Hello.$Properties
         * @deprecated Use afterimage.Hello.$Properties instead.
         */

        /**
         * Shape of a Hello.
         * @typedef {afterimage.Hello.$Properties} afterimage.Hello.$Shape
         */

        /**
         * Constructs a new Hello.
         * @memberof afterimage
         * @classdesc Represents a Hello.
         * @constructor
         * @param {afterimage.Hello.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Hello = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Hello protocolVersion.
         * @member {number} protocolVersion
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.protocolVersion = 0;

        /**
         * Hello journal.
         * @member {Uint8Array} journal
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.journal = $util.newBuffer([]);

        /**
         * Hello agentVersion.
         * @member {string} agentVersion
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.agentVersion = "";

        /**
         * Hello platform.
         * @member {string} platform
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.platform = "";

        /**
         * Hello heldFrom.
         * @member {Long} heldFrom
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.heldFrom = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Hello capturedThrough.
         * @member {Long} capturedThrough
         * @memberof afterimage.Hello
         * @instance
         */
        Hello.prototype.capturedThrough = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Hello message. Does not implicitly {@link afterimage.Hello.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Hello
         * @static
         * @param {afterimage.Hello.$Properties} m Hello message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Hello.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.protocolVersion != null && $Object.hasOwnProperty.call(m, "protocolVersion") && m.protocolVersion !== 0)
                w.uint32(/* id 1, wireType 0 =*/8).uint32(m.protocolVersion);
            if (m.journal != null && $Object.hasOwnProperty.call(m, "journal") && m.journal.length)
                w.uint32(/* id 2, wireType 2 =*/18).bytes(m.journal);
            if (m.agentVersion != null && $Object.hasOwnProperty.call(m, "agentVersion") && m.agentVersion !== "")
                w.uint32(/* id 3, wireType 2 =*/26).string(m.agentVersion);
            if (m.platform != null && $Object.hasOwnProperty.call(m, "platform") && m.platform !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.platform);
            if (m.heldFrom != null && $Object.hasOwnProperty.call(m, "heldFrom") && (typeof m.heldFrom === "object" ? m.heldFrom.low || m.heldFrom.high : m.heldFrom !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.heldFrom);
            if (m.capturedThrough != null && $Object.hasOwnProperty.call(m, "capturedThrough") && (typeof m.capturedThrough === "object" ? m.capturedThrough.low || m.capturedThrough.high : m.capturedThrough !== 0))
                w.uint32(/* id 6, wireType 0 =*/48).uint64(m.capturedThrough);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Hello
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Hello & afterimage.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Hello.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Hello();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.protocolVersion = v;
                        else
                            delete m.protocolVersion;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.journal = v;
                        else
                            delete m.journal;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.agentVersion = v;
                        else
                            delete m.agentVersion;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.platform = v;
                        else
                            delete m.platform;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.heldFrom = v;
                        else
                            delete m.heldFrom;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.capturedThrough = v;
                        else
                            delete m.capturedThrough;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Hello;
    })();

    afterimage.FrameMessage = (function() {

        /**
         * Properties of a FrameMessage.
         * @typedef {Object} afterimage.FrameMessage.$Properties
         * @property {Uint8Array|null} [frame] FrameMessage frame
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a FrameMessage.
         * @memberof afterimage
         * @interface IFrameMessage
         * @augments afterimage.FrameMessage.$Properties
         * @deprecated Use afterimage.FrameMessage.$Properties instead.
         */

        /**
         * Shape of a FrameMessage.
         * @typedef {afterimage.FrameMessage.$Properties} afterimage.FrameMessage.$Shape
         */

        /**
         * Constructs a new FrameMessage.
         * @memberof afterimage
         * @classdesc Represents a FrameMessage.
         * @constructor
         * @param {afterimage.FrameMessage.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const FrameMessage = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * FrameMessage frame.
         * @member {Uint8Array} frame
         * @memberof afterimage.FrameMessage
         * @instance
         */
        FrameMessage.prototype.frame = $util.newBuffer([]);

        /**
         * Encodes the specified FrameMessage message. Does not implicitly {@link afterimage.FrameMessage.verify|verify} messages.
         * @function encode
         * @memberof afterimage.FrameMessage
         * @static
         * @param {afterimage.FrameMessage.$Properties} m FrameMessage message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        FrameMessage.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.frame != null && $Object.hasOwnProperty.call(m, "frame") && m.frame.length)
                w.uint32(/* id 1, wireType 2 =*/10).bytes(m.frame);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a FrameMessage message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.FrameMessage
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.FrameMessage & afterimage.FrameMessage.$Shape} FrameMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        FrameMessage.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.FrameMessage();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.frame = v;
                        else
                            delete m.frame;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return FrameMessage;
    })();

    afterimage.Report = (function() {

        /**
         * Properties of a Report.
         * @typedef {Object} afterimage.Report.$Properties
         * @property {Long|null} [capturedThrough] Report capturedThrough
         * @property {Long|null} [capturedTimeNs] Report capturedTimeNs
         * @property {Long|null} [oldestUndurableNs] Report oldestUndurableNs
         * @property {Long|null} [undurableBytes] Report undurableBytes
         * @property {Long|null} [spoolBytes] Report spoolBytes
         * @property {Long|null} [sentNs] Report sentNs
         * @property {Array.<afterimage.VolumeReport.$Properties>|null} [volumes] Report volumes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Report.
         * @memberof afterimage
         * @interface IReport
         * @augments afterimage.Report.$Properties
         * @deprecated Use afterimage.Report.$Properties instead.
         */

        /**
         * Shape of a Report.
         * @typedef {afterimage.Report.$Properties} afterimage.Report.$Shape
         */

        /**
         * Constructs a new Report.
         * @memberof afterimage
         * @classdesc Represents a Report.
         * @constructor
         * @param {afterimage.Report.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Report = function (p) {
            this.volumes = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Report capturedThrough.
         * @member {Long} capturedThrough
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.capturedThrough = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report capturedTimeNs.
         * @member {Long} capturedTimeNs
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.capturedTimeNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report oldestUndurableNs.
         * @member {Long} oldestUndurableNs
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.oldestUndurableNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report undurableBytes.
         * @member {Long} undurableBytes
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.undurableBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report spoolBytes.
         * @member {Long} spoolBytes
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.spoolBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report sentNs.
         * @member {Long} sentNs
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.sentNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Report volumes.
         * @member {Array.<afterimage.VolumeReport.$Properties>} volumes
         * @memberof afterimage.Report
         * @instance
         */
        Report.prototype.volumes = $util.emptyArray;

        /**
         * Encodes the specified Report message. Does not implicitly {@link afterimage.Report.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Report
         * @static
         * @param {afterimage.Report.$Properties} m Report message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Report.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.capturedThrough != null && $Object.hasOwnProperty.call(m, "capturedThrough") && (typeof m.capturedThrough === "object" ? m.capturedThrough.low || m.capturedThrough.high : m.capturedThrough !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.capturedThrough);
            if (m.capturedTimeNs != null && $Object.hasOwnProperty.call(m, "capturedTimeNs") && (typeof m.capturedTimeNs === "object" ? m.capturedTimeNs.low || m.capturedTimeNs.high : m.capturedTimeNs !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.capturedTimeNs);
            if (m.oldestUndurableNs != null && $Object.hasOwnProperty.call(m, "oldestUndurableNs") && (typeof m.oldestUndurableNs === "object" ? m.oldestUndurableNs.low || m.oldestUndurableNs.high : m.oldestUndurableNs !== 0))
                w.uint32(/* id 3, wireType 0 =*/24).uint64(m.oldestUndurableNs);
            if (m.undurableBytes != null && $Object.hasOwnProperty.call(m, "undurableBytes") && (typeof m.undurableBytes === "object" ? m.undurableBytes.low || m.undurableBytes.high : m.undurableBytes !== 0))
                w.uint32(/* id 4, wireType 0 =*/32).uint64(m.undurableBytes);
            if (m.spoolBytes != null && $Object.hasOwnProperty.call(m, "spoolBytes") && (typeof m.spoolBytes === "object" ? m.spoolBytes.low || m.spoolBytes.high : m.spoolBytes !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.spoolBytes);
            if (m.sentNs != null && $Object.hasOwnProperty.call(m, "sentNs") && (typeof m.sentNs === "object" ? m.sentNs.low || m.sentNs.high : m.sentNs !== 0))
                w.uint32(/* id 6, wireType 0 =*/48).uint64(m.sentNs);
            if (m.volumes != null && m.volumes.length) {
                for (var i = 0; i < m.volumes.length; ++i)
                    $root.afterimage.VolumeReport.encode(m.volumes[i], w.uint32(/* id 7, wireType 2 =*/58).fork(), q + 1).ldelim();
            }
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Report message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Report
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Report & afterimage.Report.$Shape} Report
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Report.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Report();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.capturedThrough = v;
                        else
                            delete m.capturedThrough;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.capturedTimeNs = v;
                        else
                            delete m.capturedTimeNs;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.oldestUndurableNs = v;
                        else
                            delete m.oldestUndurableNs;
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.undurableBytes = v;
                        else
                            delete m.undurableBytes;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.spoolBytes = v;
                        else
                            delete m.spoolBytes;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sentNs = v;
                        else
                            delete m.sentNs;
                        continue;
                    }
                case 7: {
                        if (u !== 2)
                            break;
                        if (!(m.volumes && m.volumes.length))
                            m.volumes = [];
                        m.volumes.push($root.afterimage.VolumeReport.decode(r, r.size(), $undefined, q + 1));
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Report;
    })();

    afterimage.VolumeReport = (function() {

        /**
         * Properties of a VolumeReport.
         * @typedef {Object} afterimage.VolumeReport.$Properties
         * @property {number|null} [volume] VolumeReport volume
         * @property {string|null} [label] VolumeReport label
         * @property {string|null} [cause] VolumeReport cause
         * @property {string|null} [phase] VolumeReport phase
         * @property {boolean|null} [settled] VolumeReport settled
         * @property {Long|null} [gaps] VolumeReport gaps
         * @property {Long|null} [reportCount] VolumeReport reportCount
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a VolumeReport.
         * @memberof afterimage
         * @interface IVolumeReport
         * @augments afterimage.VolumeReport.$Properties
         * @deprecated Use afterimage.VolumeReport.$Properties instead.
         */

        /**
         * Shape of a VolumeReport.
         * @typedef {afterimage.VolumeReport.$Properties} afterimage.VolumeReport.$Shape
         */

        /**
         * Constructs a new VolumeReport.
         * @memberof afterimage
         * @classdesc Represents a VolumeReport.
         * @constructor
         * @param {afterimage.VolumeReport.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const VolumeReport = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * VolumeReport volume.
         * @member {number} volume
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.volume = 0;

        /**
         * VolumeReport label.
         * @member {string} label
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.label = "";

        /**
         * VolumeReport cause.
         * @member {string} cause
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.cause = "";

        /**
         * VolumeReport phase.
         * @member {string} phase
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.phase = "";

        /**
         * VolumeReport settled.
         * @member {boolean} settled
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.settled = false;

        /**
         * VolumeReport gaps.
         * @member {Long} gaps
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.gaps = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * VolumeReport reportCount.
         * @member {Long} reportCount
         * @memberof afterimage.VolumeReport
         * @instance
         */
        VolumeReport.prototype.reportCount = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified VolumeReport message. Does not implicitly {@link afterimage.VolumeReport.verify|verify} messages.
         * @function encode
         * @memberof afterimage.VolumeReport
         * @static
         * @param {afterimage.VolumeReport.$Properties} m VolumeReport message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        VolumeReport.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.volume != null && $Object.hasOwnProperty.call(m, "volume") && m.volume !== 0)
                w.uint32(/* id 1, wireType 0 =*/8).uint32(m.volume);
            if (m.label != null && $Object.hasOwnProperty.call(m, "label") && m.label !== "")
                w.uint32(/* id 2, wireType 2 =*/18).string(m.label);
            if (m.cause != null && $Object.hasOwnProperty.call(m, "cause") && m.cause !== "")
                w.uint32(/* id 3, wireType 2 =*/26).string(m.cause);
            if (m.phase != null && $Object.hasOwnProperty.call(m, "phase") && m.phase !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.phase);
            if (m.settled != null && $Object.hasOwnProperty.call(m, "settled") && m.settled !== false)
                w.uint32(/* id 5, wireType 0 =*/40).bool(m.settled);
            if (m.gaps != null && $Object.hasOwnProperty.call(m, "gaps") && (typeof m.gaps === "object" ? m.gaps.low || m.gaps.high : m.gaps !== 0))
                w.uint32(/* id 6, wireType 0 =*/48).uint64(m.gaps);
            if (m.reportCount != null && $Object.hasOwnProperty.call(m, "reportCount") && (typeof m.reportCount === "object" ? m.reportCount.low || m.reportCount.high : m.reportCount !== 0))
                w.uint32(/* id 7, wireType 0 =*/56).uint64(m.reportCount);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a VolumeReport message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.VolumeReport
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.VolumeReport & afterimage.VolumeReport.$Shape} VolumeReport
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        VolumeReport.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.VolumeReport();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.volume = v;
                        else
                            delete m.volume;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.label = v;
                        else
                            delete m.label;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.cause = v;
                        else
                            delete m.cause;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.phase = v;
                        else
                            delete m.phase;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.settled = v;
                        else
                            delete m.settled;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.gaps = v;
                        else
                            delete m.gaps;
                        continue;
                    }
                case 7: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.reportCount = v;
                        else
                            delete m.reportCount;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return VolumeReport;
    })();

    afterimage.ReceiverMessage = (function() {

        /**
         * Properties of a ReceiverMessage.
         * @typedef {Object} afterimage.ReceiverMessage.$Properties
         * @property {afterimage.Welcome.$Properties|null} [welcome] ReceiverMessage welcome
         * @property {afterimage.Durable.$Properties|null} [durable] ReceiverMessage durable
         * @property {afterimage.Applied.$Properties|null} [applied] ReceiverMessage applied
         * @property {afterimage.State.$Properties|null} [state] ReceiverMessage state
         * @property {afterimage.Refused.$Properties|null} [refused] ReceiverMessage refused
         * @property {"welcome"|"durable"|"applied"|"state"|"refused"} [message] ReceiverMessage message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ReceiverMessage.
         * @memberof afterimage
         * @interface IReceiverMessage
         * @augments afterimage.ReceiverMessage.$Properties
         * @deprecated Use afterimage.ReceiverMessage.$Properties instead.
         */

        /**
         * Narrowed shape of a ReceiverMessage.
         * @typedef {{
         *   welcome?: afterimage.Welcome.$Shape|null;
         *   durable?: afterimage.Durable.$Shape|null;
         *   applied?: afterimage.Applied.$Shape|null;
         *   state?: afterimage.State.$Shape|null;
         *   refused?: afterimage.Refused.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message?: undefined; welcome?: null; durable?: null; applied?: null; state?: null; refused?: null }|{ message?: "welcome"; welcome: afterimage.Welcome.$Shape; durable?: null; applied?: null; state?: null; refused?: null }|{ message?: "durable"; welcome?: null; durable: afterimage.Durable.$Shape; applied?: null; state?: null; refused?: null }|{ message?: "applied"; welcome?: null; durable?: null; applied: afterimage.Applied.$Shape; state?: null; refused?: null }|{ message?: "state"; welcome?: null; durable?: null; applied?: null; state: afterimage.State.$Shape; refused?: null }|{ message?: "refused"; welcome?: null; durable?: null; applied?: null; state?: null; refused: afterimage.Refused.$Shape })
         * )} afterimage.ReceiverMessage.$Shape
         */

        /**
         * Constructs a new ReceiverMessage.
         * @memberof afterimage
         * @classdesc Represents a ReceiverMessage.
         * @constructor
         * @param {afterimage.ReceiverMessage.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ReceiverMessage = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * ReceiverMessage welcome.
         * @member {afterimage.Welcome.$Properties|null|undefined} welcome
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        ReceiverMessage.prototype.welcome = null;

        /**
         * ReceiverMessage durable.
         * @member {afterimage.Durable.$Properties|null|undefined} durable
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        ReceiverMessage.prototype.durable = null;

        /**
         * ReceiverMessage applied.
         * @member {afterimage.Applied.$Properties|null|undefined} applied
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        ReceiverMessage.prototype.applied = null;

        /**
         * ReceiverMessage state.
         * @member {afterimage.State.$Properties|null|undefined} state
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        ReceiverMessage.prototype.state = null;

        /**
         * ReceiverMessage refused.
         * @member {afterimage.Refused.$Properties|null|undefined} refused
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        ReceiverMessage.prototype.refused = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * ReceiverMessage message.
         * @member {"welcome"|"durable"|"applied"|"state"|"refused"|undefined} message
         * @memberof afterimage.ReceiverMessage
         * @instance
         */
        $Object.defineProperty(ReceiverMessage.prototype, "message", {
            get: $util.oneOfGetter($oneOfFields = ["welcome", "durable", "applied", "state", "refused"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified ReceiverMessage message. Does not implicitly {@link afterimage.ReceiverMessage.verify|verify} messages.
         * @function encode
         * @memberof afterimage.ReceiverMessage
         * @static
         * @param {afterimage.ReceiverMessage.$Properties} m ReceiverMessage message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ReceiverMessage.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.welcome != null && $Object.hasOwnProperty.call(m, "welcome"))
                $root.afterimage.Welcome.encode(m.welcome, w.uint32(/* id 1, wireType 2 =*/10).fork(), q + 1).ldelim();
            if (m.durable != null && $Object.hasOwnProperty.call(m, "durable"))
                $root.afterimage.Durable.encode(m.durable, w.uint32(/* id 2, wireType 2 =*/18).fork(), q + 1).ldelim();
            if (m.applied != null && $Object.hasOwnProperty.call(m, "applied"))
                $root.afterimage.Applied.encode(m.applied, w.uint32(/* id 3, wireType 2 =*/26).fork(), q + 1).ldelim();
            if (m.state != null && $Object.hasOwnProperty.call(m, "state"))
                $root.afterimage.State.encode(m.state, w.uint32(/* id 4, wireType 2 =*/34).fork(), q + 1).ldelim();
            if (m.refused != null && $Object.hasOwnProperty.call(m, "refused"))
                $root.afterimage.Refused.encode(m.refused, w.uint32(/* id 5, wireType 2 =*/42).fork(), q + 1).ldelim();
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a ReceiverMessage message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.ReceiverMessage
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.ReceiverMessage & afterimage.ReceiverMessage.$Shape} ReceiverMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ReceiverMessage.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.ReceiverMessage();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        m.welcome = $root.afterimage.Welcome.decode(r, r.size(), $undefined, q + 1, m.welcome);
                        m.message = "welcome";
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        m.durable = $root.afterimage.Durable.decode(r, r.size(), $undefined, q + 1, m.durable);
                        m.message = "durable";
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        m.applied = $root.afterimage.Applied.decode(r, r.size(), $undefined, q + 1, m.applied);
                        m.message = "applied";
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        m.state = $root.afterimage.State.decode(r, r.size(), $undefined, q + 1, m.state);
                        m.message = "state";
                        continue;
                    }
                case 5: {
                        if (u !== 2)
                            break;
                        m.refused = $root.afterimage.Refused.decode(r, r.size(), $undefined, q + 1, m.refused);
                        m.message = "refused";
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return ReceiverMessage;
    })();

    afterimage.Welcome = (function() {

        /**
         * Properties of a Welcome.
         * @typedef {Object} afterimage.Welcome.$Properties
         * @property {number|null} [protocolVersion] Welcome protocolVersion
         * @property {Long|null} [durableThrough] Welcome durableThrough
         * @property {Uint8Array|null} [digest] Welcome digest
         * @property {Long|null} [lastTimeNs] Welcome lastTimeNs
         * @property {Long|null} [appliedThrough] Welcome appliedThrough
         * @property {Long|null} [windowBytes] Welcome windowBytes
         * @property {number|null} [lastVolume] Welcome lastVolume
         * @property {Array.<number>|null} [liveVolumes] Welcome liveVolumes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Welcome.
         * @memberof afterimage
         * @interface IWelcome
         * @augments afterimage.Welcome.$Properties
         * @deprecated Use afterimage.Welcome.$Properties instead.
         */

        /**
         * Shape of a Welcome.
         * @typedef {afterimage.Welcome.$Properties} afterimage.Welcome.$Shape
         */

        /**
         * Constructs a new Welcome.
         * @memberof afterimage
         * @classdesc Represents a Welcome.
         * @constructor
         * @param {afterimage.Welcome.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Welcome = function (p) {
            this.liveVolumes = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Welcome protocolVersion.
         * @member {number} protocolVersion
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.protocolVersion = 0;

        /**
         * Welcome durableThrough.
         * @member {Long} durableThrough
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.durableThrough = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Welcome digest.
         * @member {Uint8Array} digest
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.digest = $util.newBuffer([]);

        /**
         * Welcome lastTimeNs.
         * @member {Long} lastTimeNs
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.lastTimeNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Welcome appliedThrough.
         * @member {Long} appliedThrough
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.appliedThrough = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Welcome windowBytes.
         * @member {Long} windowBytes
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.windowBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Welcome lastVolume.
         * @member {number} lastVolume
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.lastVolume = 0;

        /**
         * Welcome liveVolumes.
         * @member {Array.<number>} liveVolumes
         * @memberof afterimage.Welcome
         * @instance
         */
        Welcome.prototype.liveVolumes = $util.emptyArray;

        /**
         * Encodes the specified Welcome message. Does not implicitly {@link afterimage.Welcome.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Welcome
         * @static
         * @param {afterimage.Welcome.$Properties} m Welcome message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Welcome.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.protocolVersion != null && $Object.hasOwnProperty.call(m, "protocolVersion") && m.protocolVersion !== 0)
                w.uint32(/* id 1, wireType 0 =*/8).uint32(m.protocolVersion);
            if (m.durableThrough != null && $Object.hasOwnProperty.call(m, "durableThrough") && (typeof m.durableThrough === "object" ? m.durableThrough.low || m.durableThrough.high : m.durableThrough !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.durableThrough);
            if (m.digest != null && $Object.hasOwnProperty.call(m, "digest") && m.digest.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.digest);
            if (m.lastTimeNs != null && $Object.hasOwnProperty.call(m, "lastTimeNs") && (typeof m.lastTimeNs === "object" ? m.lastTimeNs.low || m.lastTimeNs.high : m.lastTimeNs !== 0))
                w.uint32(/* id 4, wireType 0 =*/32).uint64(m.lastTimeNs);
            if (m.appliedThrough != null && $Object.hasOwnProperty.call(m, "appliedThrough") && (typeof m.appliedThrough === "object" ? m.appliedThrough.low || m.appliedThrough.high : m.appliedThrough !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.appliedThrough);
            if (m.windowBytes != null && $Object.hasOwnProperty.call(m, "windowBytes") && (typeof m.windowBytes === "object" ? m.windowBytes.low || m.windowBytes.high : m.windowBytes !== 0))
                w.uint32(/* id 6, wireType 0 =*/48).uint64(m.windowBytes);
            if (m.lastVolume != null && $Object.hasOwnProperty.call(m, "lastVolume") && m.lastVolume !== 0)
                w.uint32(/* id 7, wireType 0 =*/56).uint32(m.lastVolume);
            if (m.liveVolumes != null && m.liveVolumes.length) {
                w.uint32(/* id 8, wireType 2 =*/66).uint32s(m.liveVolumes);
            }
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Welcome message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Welcome
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Welcome & afterimage.Welcome.$Shape} Welcome
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Welcome.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Welcome();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.protocolVersion = v;
                        else
                            delete m.protocolVersion;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.durableThrough = v;
                        else
                            delete m.durableThrough;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.digest = v;
                        else
                            delete m.digest;
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.lastTimeNs = v;
                        else
                            delete m.lastTimeNs;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.appliedThrough = v;
                        else
                            delete m.appliedThrough;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.windowBytes = v;
                        else
                            delete m.windowBytes;
                        continue;
                    }
                case 7: {
                        if (u !== 0)
                            break;
                        if (v = r.uint32())
                            m.lastVolume = v;
                        else
                            delete m.lastVolume;
                        continue;
                    }
                case 8: {
                        if (u === 2) {
                            if (!(m.liveVolumes && m.liveVolumes.length))
                                m.liveVolumes = [];
                            r.uint32s(m.liveVolumes);
                            continue;
                        }
                        if (u !== 0)
                            break;
                        if (!(m.liveVolumes && m.liveVolumes.length))
                            m.liveVolumes = [];
                        m.liveVolumes.push(r.uint32());
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Welcome;
    })();

    afterimage.Durable = (function() {

        /**
         * Properties of a Durable.
         * @typedef {Object} afterimage.Durable.$Properties
         * @property {Long|null} [through] Durable through
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Durable.
         * @memberof afterimage
         * @interface IDurable
         * @augments afterimage.Durable.$Properties
         * @deprecated Use afterimage.Durable.$Properties instead.
         */

        /**
         * Shape of a Durable.
         * @typedef {afterimage.Durable.$Properties} afterimage.Durable.$Shape
         */

        /**
         * Constructs a new Durable.
         * @memberof afterimage
         * @classdesc Represents a Durable.
         * @constructor
         * @param {afterimage.Durable.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Durable = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Durable through.
         * @member {Long} through
         * @memberof afterimage.Durable
         * @instance
         */
        Durable.prototype.through = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Durable message. Does not implicitly {@link afterimage.Durable.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Durable
         * @static
         * @param {afterimage.Durable.$Properties} m Durable message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Durable.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.through != null && $Object.hasOwnProperty.call(m, "through") && (typeof m.through === "object" ? m.through.low || m.through.high : m.through !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.through);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Durable message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Durable
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Durable & afterimage.Durable.$Shape} Durable
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Durable.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Durable();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.through = v;
                        else
                            delete m.through;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Durable;
    })();

    afterimage.Applied = (function() {

        /**
         * Properties of an Applied.
         * @typedef {Object} afterimage.Applied.$Properties
         * @property {Long|null} [through] Applied through
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Applied.
         * @memberof afterimage
         * @interface IApplied
         * @augments afterimage.Applied.$Properties
         * @deprecated Use afterimage.Applied.$Properties instead.
         */

        /**
         * Shape of an Applied.
         * @typedef {afterimage.Applied.$Properties} afterimage.Applied.$Shape
         */

        /**
         * Constructs a new Applied.
         * @memberof afterimage
         * @classdesc Represents an Applied.
         * @constructor
         * @param {afterimage.Applied.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Applied = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Applied through.
         * @member {Long} through
         * @memberof afterimage.Applied
         * @instance
         */
        Applied.prototype.through = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified Applied message. Does not implicitly {@link afterimage.Applied.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Applied
         * @static
         * @param {afterimage.Applied.$Properties} m Applied message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Applied.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.through != null && $Object.hasOwnProperty.call(m, "through") && (typeof m.through === "object" ? m.through.low || m.through.high : m.through !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.through);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes an Applied message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Applied
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Applied & afterimage.Applied.$Shape} Applied
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Applied.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Applied();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.through = v;
                        else
                            delete m.through;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Applied;
    })();

    afterimage.State = (function() {

        /**
         * Properties of a State.
         * @typedef {Object} afterimage.State.$Properties
         * @property {afterimage.State.Kind|null} [kind] State kind
         * @property {string|null} [message] State message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a State.
         * @memberof afterimage
         * @interface IState
         * @augments afterimage.State.$Properties
         * @deprecated Use afterimage.State.$Properties instead.
         */

        /**
         * Shape of a State.
         * @typedef {afterimage.State.$Properties} afterimage.State.$Shape
         */

        /**
         * Constructs a new State.
         * @memberof afterimage
         * @classdesc Represents a State.
         * @constructor
         * @param {afterimage.State.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const State = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * State kind.
         * @member {afterimage.State.Kind} kind
         * @memberof afterimage.State
         * @instance
         */
        State.prototype.kind = 0;

        /**
         * State message.
         * @member {string} message
         * @memberof afterimage.State
         * @instance
         */
        State.prototype.message = "";

        /**
         * Encodes the specified State message. Does not implicitly {@link afterimage.State.verify|verify} messages.
         * @function encode
         * @memberof afterimage.State
         * @static
         * @param {afterimage.State.$Properties} m State message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        State.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.kind != null && $Object.hasOwnProperty.call(m, "kind") && m.kind !== 0)
                w.uint32(/* id 1, wireType 0 =*/8).int32(m.kind);
            if (m.message != null && $Object.hasOwnProperty.call(m, "message") && m.message !== "")
                w.uint32(/* id 2, wireType 2 =*/18).string(m.message);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a State message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.State
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.State & afterimage.State.$Shape} State
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        State.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.State();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (v = r.int32())
                            m.kind = v;
                        else
                            delete m.kind;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.message = v;
                        else
                            delete m.message;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        /**
         * Kind enum.
         * @name afterimage.State.Kind
         * @enum {number}
         * @property {number} OK=0 OK value
         * @property {number} DISK_FULL=1 DISK_FULL value
         * @property {number} QUOTA=2 QUOTA value
         */
        State.Kind = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "OK"] = 0;
            values[valuesById[1] = "DISK_FULL"] = 1;
            values[valuesById[2] = "QUOTA"] = 2;
            return values;
        })();

        return State;
    })();

    afterimage.Refused = (function() {

        /**
         * Properties of a Refused.
         * @typedef {Object} afterimage.Refused.$Properties
         * @property {string|null} [code] Refused code
         * @property {string|null} [message] Refused message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Refused.
         * @memberof afterimage
         * @interface IRefused
         * @augments afterimage.Refused.$Properties
         * @deprecated Use afterimage.Refused.$Properties instead.
         */

        /**
         * Shape of a Refused.
         * @typedef {afterimage.Refused.$Properties} afterimage.Refused.$Shape
         */

        /**
         * Constructs a new Refused.
         * @memberof afterimage
         * @classdesc Represents a Refused.
         * @constructor
         * @param {afterimage.Refused.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Refused = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * Refused code.
         * @member {string} code
         * @memberof afterimage.Refused
         * @instance
         */
        Refused.prototype.code = "";

        /**
         * Refused message.
         * @member {string} message
         * @memberof afterimage.Refused
         * @instance
         */
        Refused.prototype.message = "";

        /**
         * Encodes the specified Refused message. Does not implicitly {@link afterimage.Refused.verify|verify} messages.
         * @function encode
         * @memberof afterimage.Refused
         * @static
         * @param {afterimage.Refused.$Properties} m Refused message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Refused.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.code != null && $Object.hasOwnProperty.call(m, "code") && m.code !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.code);
            if (m.message != null && $Object.hasOwnProperty.call(m, "message") && m.message !== "")
                w.uint32(/* id 2, wireType 2 =*/18).string(m.message);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a Refused message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.Refused
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.Refused & afterimage.Refused.$Shape} Refused
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Refused.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.Refused();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.code = v;
                        else
                            delete m.code;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.message = v;
                        else
                            delete m.message;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return Refused;
    })();

    afterimage.ReadFramesRequest = (function() {

        /**
         * Properties of a ReadFramesRequest.
         * @typedef {Object} afterimage.ReadFramesRequest.$Properties
         * @property {Long|null} [after] ReadFramesRequest after
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ReadFramesRequest.
         * @memberof afterimage
         * @interface IReadFramesRequest
         * @augments afterimage.ReadFramesRequest.$Properties
         * @deprecated Use afterimage.ReadFramesRequest.$Properties instead.
         */

        /**
         * Shape of a ReadFramesRequest.
         * @typedef {afterimage.ReadFramesRequest.$Properties} afterimage.ReadFramesRequest.$Shape
         */

        /**
         * Constructs a new ReadFramesRequest.
         * @memberof afterimage
         * @classdesc Represents a ReadFramesRequest.
         * @constructor
         * @param {afterimage.ReadFramesRequest.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ReadFramesRequest = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * ReadFramesRequest after.
         * @member {Long} after
         * @memberof afterimage.ReadFramesRequest
         * @instance
         */
        ReadFramesRequest.prototype.after = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified ReadFramesRequest message. Does not implicitly {@link afterimage.ReadFramesRequest.verify|verify} messages.
         * @function encode
         * @memberof afterimage.ReadFramesRequest
         * @static
         * @param {afterimage.ReadFramesRequest.$Properties} m ReadFramesRequest message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ReadFramesRequest.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.after != null && $Object.hasOwnProperty.call(m, "after") && (typeof m.after === "object" ? m.after.low || m.after.high : m.after !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.after);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a ReadFramesRequest message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.ReadFramesRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.ReadFramesRequest & afterimage.ReadFramesRequest.$Shape} ReadFramesRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ReadFramesRequest.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.ReadFramesRequest();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.after = v;
                        else
                            delete m.after;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return ReadFramesRequest;
    })();

    afterimage.RestoreRequest = (function() {

        /**
         * Properties of a RestoreRequest.
         * @typedef {Object} afterimage.RestoreRequest.$Properties
         * @property {string|null} [host] RestoreRequest host
         * @property {string|null} [volume] RestoreRequest volume
         * @property {string|null} [at] RestoreRequest at
         * @property {Array.<Uint8Array>|null} [paths] RestoreRequest paths
         * @property {boolean|null} [exactOnly] RestoreRequest exactOnly
         * @property {boolean|null} [planOnly] RestoreRequest planOnly
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestoreRequest.
         * @memberof afterimage
         * @interface IRestoreRequest
         * @augments afterimage.RestoreRequest.$Properties
         * @deprecated Use afterimage.RestoreRequest.$Properties instead.
         */

        /**
         * Shape of a RestoreRequest.
         * @typedef {afterimage.RestoreRequest.$Properties} afterimage.RestoreRequest.$Shape
         */

        /**
         * Constructs a new RestoreRequest.
         * @memberof afterimage
         * @classdesc Represents a RestoreRequest.
         * @constructor
         * @param {afterimage.RestoreRequest.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestoreRequest = function (p) {
            this.paths = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestoreRequest host.
         * @member {string} host
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.host = "";

        /**
         * RestoreRequest volume.
         * @member {string} volume
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.volume = "";

        /**
         * RestoreRequest at.
         * @member {string} at
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.at = "";

        /**
         * RestoreRequest paths.
         * @member {Array.<Uint8Array>} paths
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.paths = $util.emptyArray;

        /**
         * RestoreRequest exactOnly.
         * @member {boolean} exactOnly
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.exactOnly = false;

        /**
         * RestoreRequest planOnly.
         * @member {boolean} planOnly
         * @memberof afterimage.RestoreRequest
         * @instance
         */
        RestoreRequest.prototype.planOnly = false;

        /**
         * Encodes the specified RestoreRequest message. Does not implicitly {@link afterimage.RestoreRequest.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestoreRequest
         * @static
         * @param {afterimage.RestoreRequest.$Properties} m RestoreRequest message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestoreRequest.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.host != null && $Object.hasOwnProperty.call(m, "host") && m.host !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.host);
            if (m.volume != null && $Object.hasOwnProperty.call(m, "volume") && m.volume !== "")
                w.uint32(/* id 2, wireType 2 =*/18).string(m.volume);
            if (m.at != null && $Object.hasOwnProperty.call(m, "at") && m.at !== "")
                w.uint32(/* id 3, wireType 2 =*/26).string(m.at);
            if (m.paths != null && m.paths.length) {
                for (var i = 0; i < m.paths.length; ++i)
                    w.uint32(/* id 4, wireType 2 =*/34).bytes(m.paths[i]);
            }
            if (m.exactOnly != null && $Object.hasOwnProperty.call(m, "exactOnly") && m.exactOnly !== false)
                w.uint32(/* id 5, wireType 0 =*/40).bool(m.exactOnly);
            if (m.planOnly != null && $Object.hasOwnProperty.call(m, "planOnly") && m.planOnly !== false)
                w.uint32(/* id 6, wireType 0 =*/48).bool(m.planOnly);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestoreRequest message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestoreRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestoreRequest & afterimage.RestoreRequest.$Shape} RestoreRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestoreRequest.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestoreRequest();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.host = v;
                        else
                            delete m.host;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.volume = v;
                        else
                            delete m.volume;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.at = v;
                        else
                            delete m.at;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if (!(m.paths && m.paths.length))
                            m.paths = [];
                        m.paths.push(r.bytes());
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.exactOnly = v;
                        else
                            delete m.exactOnly;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.planOnly = v;
                        else
                            delete m.planOnly;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestoreRequest;
    })();

    afterimage.RestoreMessage = (function() {

        /**
         * Properties of a RestoreMessage.
         * @typedef {Object} afterimage.RestoreMessage.$Properties
         * @property {afterimage.RestoreHead.$Properties|null} [head] RestoreMessage head
         * @property {afterimage.RestoreEntry.$Properties|null} [entry] RestoreMessage entry
         * @property {afterimage.RestorePiece.$Properties|null} [piece] RestoreMessage piece
         * @property {afterimage.RestoreEnd.$Properties|null} [end] RestoreMessage end
         * @property {"head"|"entry"|"piece"|"end"} [message] RestoreMessage message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestoreMessage.
         * @memberof afterimage
         * @interface IRestoreMessage
         * @augments afterimage.RestoreMessage.$Properties
         * @deprecated Use afterimage.RestoreMessage.$Properties instead.
         */

        /**
         * Narrowed shape of a RestoreMessage.
         * @typedef {{
         *   head?: afterimage.RestoreHead.$Shape|null;
         *   entry?: afterimage.RestoreEntry.$Shape|null;
         *   piece?: afterimage.RestorePiece.$Shape|null;
         *   end?: afterimage.RestoreEnd.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message?: undefined; head?: null; entry?: null; piece?: null; end?: null }|{ message?: "head"; head: afterimage.RestoreHead.$Shape; entry?: null; piece?: null; end?: null }|{ message?: "entry"; head?: null; entry: afterimage.RestoreEntry.$Shape; piece?: null; end?: null }|{ message?: "piece"; head?: null; entry?: null; piece: afterimage.RestorePiece.$Shape; end?: null }|{ message?: "end"; head?: null; entry?: null; piece?: null; end: afterimage.RestoreEnd.$Shape })
         * )} afterimage.RestoreMessage.$Shape
         */

        /**
         * Constructs a new RestoreMessage.
         * @memberof afterimage
         * @classdesc Represents a RestoreMessage.
         * @constructor
         * @param {afterimage.RestoreMessage.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestoreMessage = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestoreMessage head.
         * @member {afterimage.RestoreHead.$Properties|null|undefined} head
         * @memberof afterimage.RestoreMessage
         * @instance
         */
        RestoreMessage.prototype.head = null;

        /**
         * RestoreMessage entry.
         * @member {afterimage.RestoreEntry.$Properties|null|undefined} entry
         * @memberof afterimage.RestoreMessage
         * @instance
         */
        RestoreMessage.prototype.entry = null;

        /**
         * RestoreMessage piece.
         * @member {afterimage.RestorePiece.$Properties|null|undefined} piece
         * @memberof afterimage.RestoreMessage
         * @instance
         */
        RestoreMessage.prototype.piece = null;

        /**
         * RestoreMessage end.
         * @member {afterimage.RestoreEnd.$Properties|null|undefined} end
         * @memberof afterimage.RestoreMessage
         * @instance
         */
        RestoreMessage.prototype.end = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * RestoreMessage message.
         * @member {"head"|"entry"|"piece"|"end"|undefined} message
         * @memberof afterimage.RestoreMessage
         * @instance
         */
        $Object.defineProperty(RestoreMessage.prototype, "message", {
            get: $util.oneOfGetter($oneOfFields = ["head", "entry", "piece", "end"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified RestoreMessage message. Does not implicitly {@link afterimage.RestoreMessage.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestoreMessage
         * @static
         * @param {afterimage.RestoreMessage.$Properties} m RestoreMessage message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestoreMessage.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.head != null && $Object.hasOwnProperty.call(m, "head"))
                $root.afterimage.RestoreHead.encode(m.head, w.uint32(/* id 1, wireType 2 =*/10).fork(), q + 1).ldelim();
            if (m.entry != null && $Object.hasOwnProperty.call(m, "entry"))
                $root.afterimage.RestoreEntry.encode(m.entry, w.uint32(/* id 2, wireType 2 =*/18).fork(), q + 1).ldelim();
            if (m.piece != null && $Object.hasOwnProperty.call(m, "piece"))
                $root.afterimage.RestorePiece.encode(m.piece, w.uint32(/* id 3, wireType 2 =*/26).fork(), q + 1).ldelim();
            if (m.end != null && $Object.hasOwnProperty.call(m, "end"))
                $root.afterimage.RestoreEnd.encode(m.end, w.uint32(/* id 4, wireType 2 =*/34).fork(), q + 1).ldelim();
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestoreMessage message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestoreMessage
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestoreMessage & afterimage.RestoreMessage.$Shape} RestoreMessage
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestoreMessage.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestoreMessage();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        m.head = $root.afterimage.RestoreHead.decode(r, r.size(), $undefined, q + 1, m.head);
                        m.message = "head";
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        m.entry = $root.afterimage.RestoreEntry.decode(r, r.size(), $undefined, q + 1, m.entry);
                        m.message = "entry";
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        m.piece = $root.afterimage.RestorePiece.decode(r, r.size(), $undefined, q + 1, m.piece);
                        m.message = "piece";
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        m.end = $root.afterimage.RestoreEnd.decode(r, r.size(), $undefined, q + 1, m.end);
                        m.message = "end";
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestoreMessage;
    })();

    afterimage.RestoreHead = (function() {

        /**
         * Properties of a RestoreHead.
         * @typedef {Object} afterimage.RestoreHead.$Properties
         * @property {string|null} [volume] RestoreHead volume
         * @property {Long|null} [sequence] RestoreHead sequence
         * @property {Long|null} [timeNs] RestoreHead timeNs
         * @property {string|null} [label] RestoreHead label
         * @property {string|null} [cause] RestoreHead cause
         * @property {boolean|null} [settled] RestoreHead settled
         * @property {Array.<string>|null} [advice] RestoreHead advice
         * @property {Long|null} [entries] RestoreHead entries
         * @property {Long|null} [bytes] RestoreHead bytes
         * @property {string|null} [platform] RestoreHead platform
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestoreHead.
         * @memberof afterimage
         * @interface IRestoreHead
         * @augments afterimage.RestoreHead.$Properties
         * @deprecated Use afterimage.RestoreHead.$Properties instead.
         */

        /**
         * Shape of a RestoreHead.
         * @typedef {afterimage.RestoreHead.$Properties} afterimage.RestoreHead.$Shape
         */

        /**
         * Constructs a new RestoreHead.
         * @memberof afterimage
         * @classdesc Represents a RestoreHead.
         * @constructor
         * @param {afterimage.RestoreHead.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestoreHead = function (p) {
            this.advice = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestoreHead volume.
         * @member {string} volume
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.volume = "";

        /**
         * RestoreHead sequence.
         * @member {Long} sequence
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.sequence = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreHead timeNs.
         * @member {Long} timeNs
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.timeNs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreHead label.
         * @member {string} label
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.label = "";

        /**
         * RestoreHead cause.
         * @member {string} cause
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.cause = "";

        /**
         * RestoreHead settled.
         * @member {boolean} settled
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.settled = false;

        /**
         * RestoreHead advice.
         * @member {Array.<string>} advice
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.advice = $util.emptyArray;

        /**
         * RestoreHead entries.
         * @member {Long} entries
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.entries = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreHead bytes.
         * @member {Long} bytes
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.bytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreHead platform.
         * @member {string} platform
         * @memberof afterimage.RestoreHead
         * @instance
         */
        RestoreHead.prototype.platform = "";

        /**
         * Encodes the specified RestoreHead message. Does not implicitly {@link afterimage.RestoreHead.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestoreHead
         * @static
         * @param {afterimage.RestoreHead.$Properties} m RestoreHead message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestoreHead.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.volume != null && $Object.hasOwnProperty.call(m, "volume") && m.volume !== "")
                w.uint32(/* id 1, wireType 2 =*/10).string(m.volume);
            if (m.sequence != null && $Object.hasOwnProperty.call(m, "sequence") && (typeof m.sequence === "object" ? m.sequence.low || m.sequence.high : m.sequence !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.sequence);
            if (m.timeNs != null && $Object.hasOwnProperty.call(m, "timeNs") && (typeof m.timeNs === "object" ? m.timeNs.low || m.timeNs.high : m.timeNs !== 0))
                w.uint32(/* id 3, wireType 0 =*/24).uint64(m.timeNs);
            if (m.label != null && $Object.hasOwnProperty.call(m, "label") && m.label !== "")
                w.uint32(/* id 4, wireType 2 =*/34).string(m.label);
            if (m.cause != null && $Object.hasOwnProperty.call(m, "cause") && m.cause !== "")
                w.uint32(/* id 5, wireType 2 =*/42).string(m.cause);
            if (m.settled != null && $Object.hasOwnProperty.call(m, "settled") && m.settled !== false)
                w.uint32(/* id 6, wireType 0 =*/48).bool(m.settled);
            if (m.advice != null && m.advice.length) {
                for (var i = 0; i < m.advice.length; ++i)
                    w.uint32(/* id 7, wireType 2 =*/58).string(m.advice[i]);
            }
            if (m.entries != null && $Object.hasOwnProperty.call(m, "entries") && (typeof m.entries === "object" ? m.entries.low || m.entries.high : m.entries !== 0))
                w.uint32(/* id 8, wireType 0 =*/64).uint64(m.entries);
            if (m.bytes != null && $Object.hasOwnProperty.call(m, "bytes") && (typeof m.bytes === "object" ? m.bytes.low || m.bytes.high : m.bytes !== 0))
                w.uint32(/* id 9, wireType 0 =*/72).uint64(m.bytes);
            if (m.platform != null && $Object.hasOwnProperty.call(m, "platform") && m.platform !== "")
                w.uint32(/* id 10, wireType 2 =*/82).string(m.platform);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestoreHead message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestoreHead
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestoreHead & afterimage.RestoreHead.$Shape} RestoreHead
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestoreHead.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestoreHead();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.volume = v;
                        else
                            delete m.volume;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.sequence = v;
                        else
                            delete m.sequence;
                        continue;
                    }
                case 3: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.timeNs = v;
                        else
                            delete m.timeNs;
                        continue;
                    }
                case 4: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.label = v;
                        else
                            delete m.label;
                        continue;
                    }
                case 5: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.cause = v;
                        else
                            delete m.cause;
                        continue;
                    }
                case 6: {
                        if (u !== 0)
                            break;
                        if (v = r.bool())
                            m.settled = v;
                        else
                            delete m.settled;
                        continue;
                    }
                case 7: {
                        if (u !== 2)
                            break;
                        if (!(m.advice && m.advice.length))
                            m.advice = [];
                        m.advice.push(r.stringVerify());
                        continue;
                    }
                case 8: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.entries = v;
                        else
                            delete m.entries;
                        continue;
                    }
                case 9: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.bytes = v;
                        else
                            delete m.bytes;
                        continue;
                    }
                case 10: {
                        if (u !== 2)
                            break;
                        if ((v = r.stringVerify()).length)
                            m.platform = v;
                        else
                            delete m.platform;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestoreHead;
    })();

    afterimage.RestoreEntry = (function() {

        /**
         * Properties of a RestoreEntry.
         * @typedef {Object} afterimage.RestoreEntry.$Properties
         * @property {Long|null} [index] RestoreEntry index
         * @property {Array.<Uint8Array>|null} [path] RestoreEntry path
         * @property {afterimage.Metadata.$Properties|null} [metadata] RestoreEntry metadata
         * @property {Long|null} [size] RestoreEntry size
         * @property {Long|null} [linkOf] RestoreEntry linkOf
         * @property {Array.<Long>|null} [data] RestoreEntry data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestoreEntry.
         * @memberof afterimage
         * @interface IRestoreEntry
         * @augments afterimage.RestoreEntry.$Properties
         * @deprecated Use afterimage.RestoreEntry.$Properties instead.
         */

        /**
         * Shape of a RestoreEntry.
         * @typedef {afterimage.RestoreEntry.$Properties} afterimage.RestoreEntry.$Shape
         */

        /**
         * Constructs a new RestoreEntry.
         * @memberof afterimage
         * @classdesc Represents a RestoreEntry.
         * @constructor
         * @param {afterimage.RestoreEntry.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestoreEntry = function (p) {
            this.path = [];
            this.data = [];
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestoreEntry index.
         * @member {Long} index
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreEntry path.
         * @member {Array.<Uint8Array>} path
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.path = $util.emptyArray;

        /**
         * RestoreEntry metadata.
         * @member {afterimage.Metadata.$Properties|null|undefined} metadata
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.metadata = null;

        /**
         * RestoreEntry size.
         * @member {Long} size
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreEntry linkOf.
         * @member {Long} linkOf
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.linkOf = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreEntry data.
         * @member {Array.<Long>} data
         * @memberof afterimage.RestoreEntry
         * @instance
         */
        RestoreEntry.prototype.data = $util.emptyArray;

        /**
         * Encodes the specified RestoreEntry message. Does not implicitly {@link afterimage.RestoreEntry.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestoreEntry
         * @static
         * @param {afterimage.RestoreEntry.$Properties} m RestoreEntry message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestoreEntry.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.index != null && $Object.hasOwnProperty.call(m, "index") && (typeof m.index === "object" ? m.index.low || m.index.high : m.index !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.index);
            if (m.path != null && m.path.length) {
                for (var i = 0; i < m.path.length; ++i)
                    w.uint32(/* id 2, wireType 2 =*/18).bytes(m.path[i]);
            }
            if (m.metadata != null && $Object.hasOwnProperty.call(m, "metadata"))
                $root.afterimage.Metadata.encode(m.metadata, w.uint32(/* id 3, wireType 2 =*/26).fork(), q + 1).ldelim();
            if (m.size != null && $Object.hasOwnProperty.call(m, "size") && (typeof m.size === "object" ? m.size.low || m.size.high : m.size !== 0))
                w.uint32(/* id 4, wireType 0 =*/32).uint64(m.size);
            if (m.linkOf != null && $Object.hasOwnProperty.call(m, "linkOf") && (typeof m.linkOf === "object" ? m.linkOf.low || m.linkOf.high : m.linkOf !== 0))
                w.uint32(/* id 5, wireType 0 =*/40).uint64(m.linkOf);
            if (m.data != null && m.data.length) {
                w.uint32(/* id 6, wireType 2 =*/50).uint64s(m.data);
            }
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestoreEntry message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestoreEntry
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestoreEntry & afterimage.RestoreEntry.$Shape} RestoreEntry
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestoreEntry.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestoreEntry();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.index = v;
                        else
                            delete m.index;
                        continue;
                    }
                case 2: {
                        if (u !== 2)
                            break;
                        if (!(m.path && m.path.length))
                            m.path = [];
                        m.path.push(r.bytes());
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        m.metadata = $root.afterimage.Metadata.decode(r, r.size(), $undefined, q + 1, m.metadata);
                        continue;
                    }
                case 4: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.size = v;
                        else
                            delete m.size;
                        continue;
                    }
                case 5: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.linkOf = v;
                        else
                            delete m.linkOf;
                        continue;
                    }
                case 6: {
                        if (u === 2) {
                            if (!(m.data && m.data.length))
                                m.data = [];
                            r.uint64s(m.data);
                            continue;
                        }
                        if (u !== 0)
                            break;
                        if (!(m.data && m.data.length))
                            m.data = [];
                        m.data.push(r.uint64());
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestoreEntry;
    })();

    afterimage.RestorePiece = (function() {

        /**
         * Properties of a RestorePiece.
         * @typedef {Object} afterimage.RestorePiece.$Properties
         * @property {Long|null} [index] RestorePiece index
         * @property {Long|null} [offset] RestorePiece offset
         * @property {Uint8Array|null} [data] RestorePiece data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestorePiece.
         * @memberof afterimage
         * @interface IRestorePiece
         * @augments afterimage.RestorePiece.$Properties
         * @deprecated Use afterimage.RestorePiece.$Properties instead.
         */

        /**
         * Shape of a RestorePiece.
         * @typedef {afterimage.RestorePiece.$Properties} afterimage.RestorePiece.$Shape
         */

        /**
         * Constructs a new RestorePiece.
         * @memberof afterimage
         * @classdesc Represents a RestorePiece.
         * @constructor
         * @param {afterimage.RestorePiece.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestorePiece = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestorePiece index.
         * @member {Long} index
         * @memberof afterimage.RestorePiece
         * @instance
         */
        RestorePiece.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestorePiece offset.
         * @member {Long} offset
         * @memberof afterimage.RestorePiece
         * @instance
         */
        RestorePiece.prototype.offset = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestorePiece data.
         * @member {Uint8Array} data
         * @memberof afterimage.RestorePiece
         * @instance
         */
        RestorePiece.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified RestorePiece message. Does not implicitly {@link afterimage.RestorePiece.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestorePiece
         * @static
         * @param {afterimage.RestorePiece.$Properties} m RestorePiece message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestorePiece.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.index != null && $Object.hasOwnProperty.call(m, "index") && (typeof m.index === "object" ? m.index.low || m.index.high : m.index !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.index);
            if (m.offset != null && $Object.hasOwnProperty.call(m, "offset") && (typeof m.offset === "object" ? m.offset.low || m.offset.high : m.offset !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.offset);
            if (m.data != null && $Object.hasOwnProperty.call(m, "data") && m.data.length)
                w.uint32(/* id 3, wireType 2 =*/26).bytes(m.data);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestorePiece message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestorePiece
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestorePiece & afterimage.RestorePiece.$Shape} RestorePiece
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestorePiece.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestorePiece();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.index = v;
                        else
                            delete m.index;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.offset = v;
                        else
                            delete m.offset;
                        continue;
                    }
                case 3: {
                        if (u !== 2)
                            break;
                        if ((v = r.bytes()).length)
                            m.data = v;
                        else
                            delete m.data;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestorePiece;
    })();

    afterimage.RestoreEnd = (function() {

        /**
         * Properties of a RestoreEnd.
         * @typedef {Object} afterimage.RestoreEnd.$Properties
         * @property {Long|null} [entries] RestoreEnd entries
         * @property {Long|null} [bytes] RestoreEnd bytes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RestoreEnd.
         * @memberof afterimage
         * @interface IRestoreEnd
         * @augments afterimage.RestoreEnd.$Properties
         * @deprecated Use afterimage.RestoreEnd.$Properties instead.
         */

        /**
         * Shape of a RestoreEnd.
         * @typedef {afterimage.RestoreEnd.$Properties} afterimage.RestoreEnd.$Shape
         */

        /**
         * Constructs a new RestoreEnd.
         * @memberof afterimage
         * @classdesc Represents a RestoreEnd.
         * @constructor
         * @param {afterimage.RestoreEnd.$Properties=} [p] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RestoreEnd = function (p) {
            if (p)
                for (var ks = $Object.keys(p), i = 0; i < ks.length; ++i)
                    if (p[ks[i]] != null && ks[i] !== "__proto__")
                        this[ks[i]] = p[ks[i]];
        };

        /**
         * RestoreEnd entries.
         * @member {Long} entries
         * @memberof afterimage.RestoreEnd
         * @instance
         */
        RestoreEnd.prototype.entries = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * RestoreEnd bytes.
         * @member {Long} bytes
         * @memberof afterimage.RestoreEnd
         * @instance
         */
        RestoreEnd.prototype.bytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Encodes the specified RestoreEnd message. Does not implicitly {@link afterimage.RestoreEnd.verify|verify} messages.
         * @function encode
         * @memberof afterimage.RestoreEnd
         * @static
         * @param {afterimage.RestoreEnd.$Properties} m RestoreEnd message or plain object to encode
         * @param {$protobuf.Writer} [w] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RestoreEnd.encode = function (m, w, q) {
            if (!w)
                w = $Writer.create();
            if (q === $undefined)
                q = 0;
            if (q > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (m.entries != null && $Object.hasOwnProperty.call(m, "entries") && (typeof m.entries === "object" ? m.entries.low || m.entries.high : m.entries !== 0))
                w.uint32(/* id 1, wireType 0 =*/8).uint64(m.entries);
            if (m.bytes != null && $Object.hasOwnProperty.call(m, "bytes") && (typeof m.bytes === "object" ? m.bytes.low || m.bytes.high : m.bytes !== 0))
                w.uint32(/* id 2, wireType 0 =*/16).uint64(m.bytes);
            if (m.$unknowns != null && $Object.hasOwnProperty.call(m, "$unknowns"))
                for (var i = 0; i < m.$unknowns.length; ++i)
                    w.raw(m.$unknowns[i]);
            return w;
        };

        /**
         * Decodes a RestoreEnd message from the specified reader or buffer.
         * @function decode
         * @memberof afterimage.RestoreEnd
         * @static
         * @param {$protobuf.Reader|Uint8Array} r Reader or buffer to decode from
         * @param {number} [l] Message length if known beforehand
         * @returns {afterimage.RestoreEnd & afterimage.RestoreEnd.$Shape} RestoreEnd
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RestoreEnd.decode = function (r, l, z, q, g) {
            if (!(r instanceof $Reader))
                r = $Reader.create(r);
            if (q === $undefined)
                q = 0;
            if (q > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            var c, m, v;
            if (l === $undefined)
                c = r.len;
            else {
                c = r.pos + l;
                if (c > r.len)
                    throw $RangeError("index out of range");
                l = r.len;
                r.len = c;
            }
            m = g || new $root.afterimage.RestoreEnd();
            while (r.pos < c) {
                var s = r.pos;
                var t = r.tag();
                if (t === z) {
                    z = $undefined;
                    break;
                }
                var u = t & 7;
                switch (t >>>= 3) {
                case 1: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.entries = v;
                        else
                            delete m.entries;
                        continue;
                    }
                case 2: {
                        if (u !== 0)
                            break;
                        if (typeof (v = r.uint64()) === "object" ? v.low || v.high : v !== 0)
                            m.bytes = v;
                        else
                            delete m.bytes;
                        continue;
                    }
                }
                r.skipType(u, q, t);
                if (!r.discardUnknown) {
                    $util.makeProp(m, "$unknowns", false);
                    (m.$unknowns || (m.$unknowns = [])).push(r.raw(s, r.pos));
                }
            }
            if (l !== $undefined) {
                if (r.pos !== c)
                    throw $RangeError("index out of range");
                r.len = l;
            }
            if (z !== $undefined)
                throw $Error("missing end group");
            return m;
        };

        return RestoreEnd;
    })();

    return afterimage;
})();

export {
  $root as default
};
