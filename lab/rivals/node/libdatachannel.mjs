import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { serve } from './end.mjs';

serve(new RTCPeerConnection({ iceServers: [] }));
